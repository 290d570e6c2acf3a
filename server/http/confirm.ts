/**
 * The page behind a confirm link: GET only shows what is to be confirmed, so previews and crawlers change
 * nothing; the button posts, and that confirms. Whoever holds the link may: it is signed for one message and
 * one recipient.
 */
import type { RouterContext } from '@koa/router'
import { Refusal } from '../protocol/errors.ts'
import { refusalOf } from '../store/refusal.ts'
import type { HttpOptions } from './door.ts'

/** No script, nothing from elsewhere, in nobody's frame. */
const CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const words = {
  en: {
    html: 'en',
    ask: 'Did you see this?',
    button: 'Confirm',
    sent: 'Sent',
    done: 'Confirmed. Thank you.',
    doneText: 'Nobody else will be called about it.',
    earlier: 'Already confirmed',
    earlierText: (by: string) => `It was confirmed before, through ${by}.`,
    refused: (code: string) =>
      ({
        'bad-link': 'This link is not valid',
        'link-expired': 'This link has expired',
        'not-found': 'This message is gone',
      })[code] ?? 'Something went wrong, please try again',
  },
  zh: {
    html: 'zh-CN',
    ask: '您看到这条消息了吗？',
    button: '确认收到',
    sent: '发送时间',
    done: '已确认，谢谢。',
    doneText: '不会再为此通知其他渠道。',
    earlier: '此前已确认',
    earlierText: (by: string) => `此前已通过 ${by} 确认。`,
    refused: (code: string) =>
      ({ 'bad-link': '链接无效', 'link-expired': '链接已过期', 'not-found': '消息已不存在' })[code] ??
      '出现错误，请重试',
  },
} as const
type Words = (typeof words)['en' | 'zh']

/** `GET /confirm/{token}` */
export function showConfirm(options: HttpOptions): (ctx: RouterContext) => Promise<void> {
  return page(options, async (say, token) => {
    const { mid, recipient } = options.tokens.readConfirm(token)
    const delivery = await options.store.delivery(mid, recipient)
    const message = await options.store.message(mid)
    if (!delivery || !message || delivery.state === 'removed') throw new Refusal('not-found')
    if (delivery.state === 'confirmed') return told(say.earlier, say.earlierText(delivery.by ?? ''))
    const { text, desp } = message.body
    const at = new Date(message.at).toISOString().slice(0, 16).replace('T', ' ')
    return `<p class="ask">${say.ask}</p>
<h1>${escaped(text)}</h1>
<pre>${escaped(desp)}</pre>
<p class="at">${say.sent}: <time datetime="${new Date(message.at).toISOString()}">${at} UTC</time></p>
<form method="post"><button autofocus>${say.button}</button></form>`
  })
}

/** `POST /confirm/{token}` */
export function takeConfirm(options: HttpOptions): (ctx: RouterContext) => Promise<void> {
  return page(options, async (say, token) => {
    const { mid, recipient, via } = options.tokens.readConfirm(token)
    const first = await options.hub.sessions.confirm(recipient, mid, via, via)
    if (!first) throw new Refusal('not-found')
    return first.repeated ? told(say.earlier, say.earlierText(first.by)) : told(say.done, say.doneText)
  })
}

type Body = (say: Words, token: string) => Promise<string>

/** What the reader sees also where it does not work: a page in their language, with the right status. */
function page({ log }: HttpOptions, body: Body): (ctx: RouterContext) => Promise<void> {
  return async (ctx) => {
    const language = ctx.acceptsLanguages('zh', 'en') === 'zh' ? 'zh' : 'en'
    const say = words[language]
    ctx.status = 200
    const inside = await body(say, ctx.params['token'] ?? '').catch((error: unknown) => {
      const refusal = refusalOf(error)
      if (!refusal) log.error({ err: error }, 'a confirm link could not be served')
      ctx.status = refusal?.status ?? 500
      return `<h1>${say.refused(refusal?.code ?? '')}</h1>`
    })
    ctx.set('content-type', 'text/html; charset=utf-8')
    ctx.set('cache-control', 'no-store')
    ctx.set('content-security-policy', CSP)
    ctx.set('referrer-policy', 'no-referrer')
    ctx.set('x-robots-tag', 'noindex')
    ctx.body = whole(say, inside)
  }
}

function told(title: string, text: string): string {
  return `<h1>${escaped(title)}</h1>\n<p>${escaped(text)}</p>`
}

function whole({ html }: Words, inside: string): string {
  return `<!doctype html>
<html lang="${html}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Carillon</title>
<style>
:root { color-scheme: light dark; font: 18px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { width: min(34rem, 90vw); padding: 2rem 0 }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem }
.ask, .at { opacity: .7; margin: 0 0 1rem }
button { font: inherit; font-weight: 600; width: 100%; padding: .8rem; border: 0; border-radius: .5rem; background: #2457d6; color: #fff; cursor: pointer }
</style>
<main>
${inside}
</main>
</html>
`
}

function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : ''
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
