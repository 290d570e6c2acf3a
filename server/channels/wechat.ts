/**
 * Robots of WeCom groups (企业微信群机器人): https://developer.work.weixin.qq.com/document/path/99110.
 * The key stands in the URL, nothing is signed. 20 messages a minute.
 */
import * as z from 'zod'
import { defineChannel } from './channel.ts'
import { postJson } from './outbound/json.ts'
import { refusal, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { passing, readWecom, saidBy } from './wecom/answer.ts'
import { markdownMessages, textMessages } from './wecom/messages.ts'

const MAX_CARD = 4_096

const robotSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).meta({
    description: 'webhook address of the robot, with its `key`',
    zh: '机器人的 Webhook 地址（含 `key`）',
  }),
  secret: z.string().optional().meta({
    description: 'not used: robots of WeCom have no signature',
    zh: '不使用：企业微信机器人没有签名',
  }),
  name: z.string().optional().meta({ description: 'its name', zh: '名称' }),
})

const platform = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
  webhooks: z.array(robotSchema).min(1).meta({ description: 'robots', zh: '机器人列表' }),
})

interface Address {
  readonly url: string
}

export default defineChannel<z.infer<typeof platform>, Address, string>({
  name: 'wechat',
  title: { en: 'WeCom group robot', zh: '企业微信群机器人' },
  credentials: {
    en: 'In a WeCom group, open its settings, add a robot under **Message push** (formerly **Group robots**) and copy its webhook address.',
    zh: '在企业微信群设置的**消息推送**（原**群机器人**）中添加机器人，复制其 Webhook 地址。',
  },
  platform,
  example: {
    webhooks: [
      {
        name: '告警群',
        url: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa',
        secret: '',
      },
    ],
  },
  capabilities: {
    ordered: false,
    onUnknown: 'retry',
    shared: true,
    success: 'accepted',
    limits: { text: { max: 2_048, unit: 'bytes' }, card: { max: MAX_CARD, unit: 'bytes' } },
    rates: [{ count: 20, perMs: 60_000 }],
  },

  addresses: ({ webhooks }) =>
    webhooks.map(({ url, secret = '', name }, at) => ({
      id: fingerprint(url),
      name: name ?? `${new URL(url).hostname} #${at + 1}`,
      address: { url },
      secrets: [...secretsOfUrl(url), secret],
    })),

  server: ({ url }) => url,

  render(content) {
    const messages =
      content.style === 'card' ? markdownMessages(content, MAX_CARD, { v2: true }) : textMessages(content)
    return messages.map((message) => JSON.stringify(message))
  },

  async send(body, { url }, _content, io) {
    const answer = await postJson(io.http, url, body)
    if (!answer.ok) return unanswered(answer)
    const said = readWecom(answer.body)
    return said?.errcode === '0' ? { kind: 'accepted' } : refusal(answer, saidBy(said), passing)
  },
})
