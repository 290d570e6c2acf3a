/**
 * Custom robots of DingTalk groups (钉钉自定义机器人):
 * https://open.dingtalk.com/document/robots/custom-robot-access. Signed in the query; 20 000 bytes a request;
 * 20 a minute, and who sends more is blocked for about ten.
 */
import { createHmac } from 'node:crypto'
import * as z from 'zod'
import { type Addressed, defineChannel } from './channel.ts'
import { type Content, looks, plainText } from './content.ts'
import { postJson, readJson } from './outbound/json.ts'
import { type Passing, refusal, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { type Link, linkLines, linksOf, markdownLink } from './text/links.ts'
import { headed, pieces, sizeOf } from './text/pieces.ts'

/** UTF-8 bytes of a request (460101) */
const MAX_BODY = 20_000
/** code points of Markdown: clients show longer ones as plain text */
const MAX_CARD = 3_000
/** code points */
const MAX_TITLE = 100
const MAX_LINK = 1_000
const MINUTE_MS = 60_000
/** Busy, and too many in a minute. */
const passing: Passing = new Map([
  ['-1', 0],
  ['130101', MINUTE_MS],
  ['410100', MINUTE_MS],
])

const robotKeys = {
  url: z.url({ protocol: /^https?$/ }).meta({
    description: 'webhook address of the robot, with its `access_token`',
    zh: '机器人的 Webhook 地址（含 `access_token`）',
  }),
  secret: z.string().optional().meta({
    description: 'where the robot checks signatures: its secret, `SEC…`; empty for none',
    zh: '开启“加签”时的密钥（`SEC…`）；留空表示未开启',
  }),
}

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  webhooks: z
    .array(z.strictObject({ ...robotKeys, name: z.string().optional().meta({ description: 'its name', zh: '名称' }) }))
    .min(1)
    .meta({ description: 'robots', zh: '机器人列表' }),
})

const account = z.strictObject(robotKeys)
const people = z.array(z.string().min(1).max(64)).max(100).default([])
/** whom one message calls */
const target = z.object({ atMobiles: people, atUserIds: people, isAtAll: z.boolean().default(false) })

type At = z.infer<typeof target>
interface Address {
  readonly url: string
  readonly secret: string
  readonly at: At
}
type Part = Readonly<Record<string, unknown>>

const NOBODY: At = { atMobiles: [], atUserIds: [], isAtAll: false }
const answerSchema = z.looseObject({
  errcode: z.union([z.number(), z.string().min(1)]),
  errmsg: z.string().default(''),
})

export default defineChannel<z.infer<typeof platform>, Address, Part, undefined, z.infer<typeof account>, At>({
  name: 'dingtalk',
  title: { en: 'DingTalk robot', zh: '钉钉机器人' },
  credentials: {
    en: 'In a DingTalk group open **Group settings → Robots → Add robot → Custom**, choose **Sign** (加签) under security for the secret, and copy the webhook address.',
    zh: '在钉钉群的**群设置 → 机器人 → 添加机器人 → 自定义**中添加，安全设置选择**加签**得到密钥，并复制 Webhook 地址。',
  },
  platform,
  example: {
    webhooks: [
      {
        name: '告警机器人',
        url: 'https://oapi.dingtalk.com/robot/send?access_token=3a7c1e9f5b2d8046a1c3e5f70918273645',
        secret: 'SEC4f1b9c7d2e8a6053b1d7f9e2c4a608135',
      },
    ],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_BODY, unit: 'body' }, card: { max: MAX_CARD, unit: 'codepoints' } },
    rates: [{ count: 20, perMs: MINUTE_MS }],
  },

  addresses: ({ webhooks }) =>
    webhooks.map(({ name, ...robot }, at) => ({
      ...addressed(robot, NOBODY),
      name: name ?? `${new URL(robot.url).hostname} #${at + 1}`,
    })),

  direct: { account, target, addressed },

  server: ({ url }) => url,

  render: (content, { at }) => (content.style === 'card' ? cards(content, at) : texts(content, at)),

  async send(part, { url, secret }, _content, io) {
    const to = secret === '' ? url : signed(url, secret, io.now())
    const answer = await postJson(io.http, to, JSON.stringify(part))
    if (!answer.ok) return unanswered(answer)
    const read = readJson(answer.body, answerSchema)
    const said = read && { code: String(read.errcode), text: read.errmsg }
    return answer.status === 200 && said?.code === '0' ? { kind: 'accepted' } : refusal(answer, said, passing)
  },
})

function addressed({ url, secret = '' }: z.infer<typeof account>, at: At): Addressed<Address> {
  return {
    id: fingerprint(url),
    name: new URL(url).hostname,
    address: { url, secret, at },
    secrets: [...secretsOfUrl(url), secret],
  }
}

/**
 * The address with time and signature in its query, where base64 is percent-encoded once.
 * @param now ms since epoch; the vendor takes what is at most an hour off
 */
export function signed(url: string, secret: string, now: number): string {
  const whole = new URL(url)
  whole.searchParams.set('timestamp', now.toString())
  whole.searchParams.set('sign', createHmac('sha256', secret).update(`${now}\n${secret}`).digest('base64'))
  return whole.href
}

function texts(content: Content, at: At): readonly Part[] {
  const end = linkLines(content, (lines) => Buffer.byteLength(lines) < MAX_BODY / 4) + calls(at, '\n')
  const message = (text: string, mark: string, at: At) => ({
    msgtype: 'text',
    text: { content: mark === '' ? text : `${mark}\n${text}` },
    at,
  })
  return pieces(plainText(content), (text, mark) => filledBy(message(text + end, mark, at))).map(
    ({ text, mark, isLast }) => (isLast ? message(text + end, mark, at) : message(text, mark, NOBODY)),
  )
}

/** Buttons below the last card. One that calls somebody can have none, and has links in its text instead. */
function cards(content: Content, at: At): readonly Part[] {
  const { title, body } = headed(content, MAX_TITLE)
  const links = linksOf(content, (all) => all.every(({ url }) => url.length <= MAX_LINK))
  const calling = at.isAtAll || calls(at, '') !== ''
  const inline = calling ? links.map((link) => `\n\n${markdownLink(link)}`).join('') : ''
  const titleOf = (mark: string) => `${title} ${mark}`.trim()
  const textOf = (said: string, mark: string) => {
    const head = `### ${looks[content.level].emoji} ${titleOf(mark)}`
    return lined(said === '' ? head : `${head}\n\n${said}`)
  }
  const card = (said: string, mark: string) => cardOf(titleOf(mark), textOf(said, mark), NOBODY, [])
  const last = (said: string, mark: string) =>
    cardOf(titleOf(mark), textOf(said, mark) + inline + calls(at, '\n\n'), at, calling ? [] : links)

  const filled = (said: string, mark: string) =>
    Math.max(sizeOf(textOf(said, mark) + inline, 'codepoints') / MAX_CARD, filledBy(last(said, mark)))
  return pieces(body, filled).map(({ text, mark, isLast }) => (isLast ? last : card)(text, mark))
}

function cardOf(title: string, text: string, at: At, links: readonly Link[]): Part {
  if (links.length === 0) return { msgtype: 'markdown', markdown: { title, text }, at }
  return { msgtype: 'actionCard', actionCard: { title, text, ...buttons(links) } }
}

function buttons(links: readonly Link[]): Part {
  const btns = links.map(({ text, url }) => ({ title: text, actionURL: url }))
  const [only, ...others] = btns
  if (only && others.length === 0) return { singleTitle: only.title, singleURL: only.actionURL }
  return { btnOrientation: '0', btns }
}

/** Who is called by number or id must stand in the text, too. */
function calls({ atMobiles, atUserIds }: At, gap: string): string {
  const names = [...atMobiles, ...atUserIds].map((name) => `@${name}`)
  return names.length === 0 ? '' : gap + names.join(' ')
}

/** A line's end alone is no break in the Markdown of DingTalk. */
function lined(markdown: string): string {
  return markdown.replaceAll(/(?<![\n ])\n(?!\n)/g, '  \n')
}

function filledBy(part: Part): number {
  return Buffer.byteLength(JSON.stringify(part)) / MAX_BODY
}
