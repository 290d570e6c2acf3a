/**
 * Custom robots of Feishu and Lark groups (飞书自定义机器人):
 * https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot. Signed in the body; 20 KB a request.
 */
import { createHmac } from 'node:crypto'
import * as z from 'zod'
import { defineChannel } from './channel.ts'
import { type Content, plainText } from './content.ts'
import { cards } from './feishu/card.ts'
import { postJson, readJson } from './outbound/json.ts'
import { type Passing, refusal, type Said, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { linkLines } from './text/links.ts'
import { pieces } from './text/pieces.ts'

/** UTF-8 bytes of a request, its signature included */
const MAX_BODY = 20_000
const MINUTE_MS = 60_000
/** stands in for a signature where a body's size is counted before it is signed: all have this length */
const SIGNED = { timestamp: '0000000000', sign: '0'.repeat(44) }
/** Too many, of a robot or at the whole vendor, as at full and half hours. */
const passing: Passing = new Map([
  ['11232', 1_000],
  ['99991400', MINUTE_MS],
])

const robotSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).meta({
    description: 'webhook address of the robot, as Feishu or Lark shows it',
    zh: '机器人的 Webhook 地址（飞书或 Lark 给出的完整地址）',
  }),
  secret: z.string().optional().meta({
    description: 'where the robot checks signatures: its secret; empty for none',
    zh: '开启签名校验时的密钥；留空表示未开启',
  }),
  name: z.string().optional().meta({ description: 'its name', zh: '名称' }),
  cardSchema: z.enum(['2.0', '1.0']).default('2.0').meta({
    description: 'version of cards; `1.0` is for clients older than 7.20 and knows no tables, headings and quotes',
    zh: '卡片版本；`1.0` 用于 7.20 以下的客户端，不支持表格、标题和引用',
  }),
})

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  webhooks: z.array(robotSchema).min(1).meta({ description: 'robots', zh: '机器人列表' }),
})

interface Address {
  readonly url: string
  readonly secret: string
  readonly cardSchema: '2.0' | '1.0'
}
/** A request without its signature. */
type Part = Readonly<Record<string, unknown>>

const code = z.union([z.number(), z.string().min(1)])
const answerSchema = z.looseObject({
  code: code.optional(),
  msg: z.string().optional(),
  /** of robots of the first generation */
  StatusCode: code.optional(),
  StatusMessage: z.string().optional(),
})

export default defineChannel<z.infer<typeof platform>, Address, Part>({
  name: 'feishu',
  title: { en: 'Feishu / Lark robot', zh: '飞书机器人' },
  credentials: {
    en: 'In a Feishu or Lark group open **Settings → Bots → Add Bot → Custom Bot**, copy the webhook address, and turn on **Signature verification** for the secret.',
    zh: '在飞书群的**设置 → 群机器人 → 添加机器人 → 自定义机器人**中复制 Webhook 地址；在安全设置中开启**签名校验**可得到密钥。',
  },
  platform,
  example: {
    webhooks: [
      {
        name: '告警机器人',
        url: 'https://open.feishu.cn/open-apis/bot/v2/hook/5f1d3a07-2c1e-4a6b-9b0e-7d0f3e8a4c21',
        secret: 'mW3kT8qZ1xN5vB7cR2yL9e',
      },
    ],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: MAX_BODY, unit: 'body' }, card: { max: MAX_BODY, unit: 'body' } },
    rates: [
      { count: 5, perMs: 1_000 },
      { count: 100, perMs: MINUTE_MS },
    ],
  },

  addresses: ({ webhooks }) =>
    webhooks.map(({ url, secret = '', name, cardSchema }, at) => ({
      id: fingerprint(url),
      name: name ?? `${new URL(url).hostname} #${at + 1}`,
      address: { url, secret, cardSchema },
      secrets: [...secretsOfUrl(url), secret],
    })),

  server: ({ url }) => url,

  render(content, { cardSchema }) {
    const said = { ...content, title: calm(content.title), body: calm(content.body) }
    if (content.style === 'text') return texts(said)
    return cards(said, cardSchema, (card) => filledBy(interactive(card))).map(interactive)
  },

  async send(part, { url, secret }, _content, io) {
    const signed = secret === '' ? part : { ...signature(secret, io.now()), ...part }
    const answer = await postJson(io.http, url, JSON.stringify(signed))
    if (!answer.ok) return unanswered(answer)
    const said = saidIn(answer.body)
    return answer.status === 200 && said?.code === '0' ? { kind: 'accepted' } : refusal(answer, said, passing)
  },
})

/**
 * What goes into the body of a signed request. The string to sign is the key here, and nothing is signed.
 * @param now ms since epoch; the vendor takes what is at most an hour off
 */
export function signature(secret: string, now: number): { readonly timestamp: string; readonly sign: string } {
  const timestamp = Math.floor(now / 1000).toString()
  return { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).digest('base64') }
}

function texts(content: Content): readonly Part[] {
  const links = linkLines(content, (lines) => Buffer.byteLength(lines) < MAX_BODY / 4)
  const text = (said: string, mark: string) => ({
    msg_type: 'text',
    content: { text: mark === '' ? said : `${mark}\n${said}` },
  })
  return pieces(plainText(content), (piece, mark) => filledBy(text(piece + links, mark))).map(
    ({ text: piece, mark, isLast }) => text(isLast ? piece + links : piece, mark),
  )
}

function interactive(card: Part): Part {
  return { msg_type: 'interactive', card }
}

function filledBy(part: Part): number {
  return Buffer.byteLength(JSON.stringify({ ...SIGNED, ...part })) / MAX_BODY
}

/** Callers' text calls nobody: what would be a mention is shown as it was written. */
function calm(text: string): string {
  return text.replaceAll(/<(?=\/?at\b)/gi, '<\u200B')
}

function saidIn(body: string): Said | null {
  const answer = readJson(body, answerSchema)
  const code = answer?.code ?? answer?.StatusCode
  return code === undefined ? null : { code: String(code), text: answer?.msg ?? answer?.StatusMessage ?? '' }
}
