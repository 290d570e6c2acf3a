/** The section `recipients` as PushServer has it, with the platforms of all channels. */
import * as z from 'zod'
import type { Channel } from '../channels/channel.ts'
import { STRATEGIES } from '../channels/reach.ts'

const WAIT_S = 300
const DAY_S = 86_400

/** `recipients: {alias: {name, platforms: {feishu: {…}, …}}}`. @param group how a group's name is read */
export function recipientsSchema<G extends z.ZodType>(channels: ReadonlyMap<string, Channel>, group: G) {
  const platforms = Object.fromEntries(
    [...channels].map(([name, { platform, title }]) => [
      name,
      platform.optional().meta({ description: title.en, zh: title.zh }),
    ]),
  )
  const recipient = z.strictObject({
    name: z.string().min(1).optional().meta({ description: 'what it is called in answers', zh: '接收者名称' }),
    group: group.optional().meta({ description: 'its group', zh: '所属的组' }),
    strategy: z.enum(STRATEGIES).optional().meta({
      description:
        'for messages that name none; without it: webhooks and sessions at once, all other platforms by failover',
      zh: '消息未指定策略时使用；不设置则同时推送 webhook 与在线会话，其余平台按 failover',
    }),
    escalate: z
      .array(
        z.strictObject({
          platform: z.string().min(1).meta({
            description: 'one of its platforms, or websocket: wait for live sessions, skipped when there are none',
            zh: '该接收者的平台之一；websocket 表示等待在线会话，无会话时跳过',
          }),
          wait: z.number().min(0).max(DAY_S).default(WAIT_S).meta({
            description: 'seconds until the next step, unless somebody confirmed',
            zh: '无人确认时，进入下一步之前等待的秒数',
          }),
        }),
      )
      .min(1)
      .optional()
      .meta({
        description: `steps of the strategy escalate; without it: all platforms in order, ${WAIT_S} s each`,
        zh: `escalate 策略的步骤；不设置则按平台顺序，每步等待 ${WAIT_S} 秒`,
      }),
    platforms: z.strictObject(platforms).prefault({}).meta({
      description: 'the platforms that reach it, in the order they are tried',
      zh: '推送平台，按书写顺序依次尝试',
    }),
  })
  return z.record(z.string(), recipient).default({}).meta({
    description: 'who can be reached by chat robots, mail, phone …, by alias',
    zh: '接收者别名及其推送平台',
  })
}

export type Recipients = z.infer<ReturnType<typeof recipientsSchema<z.ZodType<string | null>>>>
