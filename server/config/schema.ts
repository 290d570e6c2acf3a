/**
 * Every key of the config: its type, default and meaning in English and Chinese. config/README.md and
 * config/config.example.yaml are written from it, environment names and "did you mean" are read from it.
 */
import * as z from 'zod'
import type { Channel } from '../channels/channel.ts'
import { isNetwork } from '../directory/peers.ts'
import { groupId, recipientId } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { apiSchema } from './api.ts'
import { logSchema } from './log.ts'
import { queueSchema } from './queue.ts'
import { recipientsSchema } from './recipients.ts'
import { sdkSchema } from './sdk.ts'
import { serverSchema } from './server-section.ts'
import { smtpRelaySchema } from './smtp-relay.ts'
import { taskSchema } from './task.ts'
import { tokenSchema } from './token.ts'

const MIB = 1024 * 1024
const DAY_MS = 24 * 3_600_000

/** What old clients write when they have no group. */
export const NO_GROUP: ReadonlySet<string> = new Set(['', 'null', 'undefined'])

const port = z.int().min(0).max(65_535)
/** ms a timer can run */
const duration = z.int().min(1).max(DAY_MS)
const positive = z.int().min(1)

const sections = {
  token: tokenSchema.optional().meta({
    description:
      'the shared token of senders and clients; without one, a random one is made and kept in the data directory',
    zh: '发送方和客户端共用的 token；不设置则随机生成并保存在数据目录中',
  }),
  adminToken: tokenSchema.optional().meta({
    description: 'the token that may also push to reserved recipients such as `system`; without one there is no admin',
    zh: '管理员 token，可向 `system` 等保留接收者推送；不设置则没有管理员',
  }),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'how people reach this hub, such as https://push.example.com; with it, cards and mails of `escalate` carry a link to confirm',
      zh: '用户访问本服务的地址，如 https://push.example.com；设置后 `escalate` 的卡片和邮件带有确认链接',
    }),
  trustProxy: z
    .array(z.string().refine(isNetwork, 'expected an address or a network such as 10.0.0.0/8'))
    .default([])
    .meta({
      description:
        'addresses and networks of reverse proxies, such as 127.0.0.1 or 10.0.0.0/8: only what these write into `X-Forwarded-For` is believed; they must write it',
      zh: '反向代理的地址或网段，如 127.0.0.1、10.0.0.0/8：只信任它们写入的 `X-Forwarded-For`，代理必须设置该请求头',
    }),
  http: z
    .strictObject({
      host: z.string().min(1).optional().meta({
        description:
          'address to listen on; without one: 127.0.0.1 if there is no config file, all interfaces if there is',
        zh: '监听地址；不设置时，无配置文件则为 127.0.0.1，有配置文件则监听所有网卡',
      }),
      port: port.default(9093).meta({ description: 'port to listen on', zh: '监听端口' }),
      verifyToken: z.boolean().optional().meta({
        description:
          'pushes must carry the token in the header `authorization`; without this key: false, as in mpush, but true if there is no config file and the host is not loopback',
        zh: '推送时是否必须在 `authorization` 头中携带 token；不设置时与 mpush 相同为 false，但无配置文件且监听非本机地址时为 true',
      }),
      waitTimeout: z.int().min(0).max(DAY_MS).default(5000).meta({
        description: 'ms that a push waits for acks before it is answered with the states so far',
        zh: '等待客户端答复的最长毫秒数，超时后返回目标客户端当前的接收状态',
      }),
      cors: z.boolean().default(true).meta({ description: 'allow cross-origin requests', zh: '是否允许跨域请求' }),
      reply: z.enum(['flat', 'nested']).default('flat').meta({
        description: 'form of MESSAGE_REPLY: `flat` is {name: state}, `nested` is {mid, status: {name: state}}',
        zh: 'MESSAGE_REPLY 的格式：`flat` 为 {名称: 状态},`nested` 为 {mid, status: {名称: 状态}}',
      }),
      maxBody: positive
        .default(65_536)
        .meta({ description: 'bytes of a request body at most', zh: '请求体的最大字节数' }),
      maxUrl: positive.max(MIB).default(16_384).meta({ description: 'bytes of a URL at most', zh: 'URL 的最大字节数' }),
    })
    .prefault({})
    .meta({ description: 'pushes by HTTP', zh: 'HTTP 推送接口' }),
  server: serverSchema,
  api: apiSchema,
  websocket: z
    .strictObject({
      port: port.optional().meta({
        description: 'port of the WebSocket door; without this key: the same as http.port, on one server',
        zh: 'WebSocket 端口；不设置则与 http.port 共用同一端口',
      }),
      verifyToken: z.boolean().default(true).meta({
        description: 'AUTH must carry the token',
        zh: 'AUTH 指令是否验证 token',
      }),
      authTimeout: duration.default(30_000).meta({
        description: 'ms until a socket without AUTH is closed',
        zh: '规定毫秒数内未完成 AUTH 则断开连接',
      }),
      retryTimeout: duration.default(3000).meta({
        description: 'ms without an ack until a message is sent again',
        zh: '规定毫秒数内未收到客户端确认则重新发送',
      }),
      waitTimeout: z.int().min(0).max(DAY_MS).default(5000).meta({
        description: 'ms that a client who pushes waits for acks',
        zh: '客户端推送消息时等待其他客户端答复的最长毫秒数',
      }),
      maxFrame: positive.default(65_536).meta({ description: 'bytes of one frame at most', zh: '单帧最大字节数' }),
    })
    .prefault({})
    .meta({ description: 'clients by WebSocket', zh: 'WebSocket 接入' }),
  limits: z
    .strictObject({
      attempts: positive.default(30).meta({
        description: 'wrong tokens at once; beyond it the address is answered 429, right tokens too',
        zh: '允许连续出错的 token 次数；超过后该地址一律返回 429，正确的 token 也不再验证',
      }),
      attemptsPerMinute: z.number().positive().default(1).meta({
        description: 'tries that come back per minute',
        zh: '每分钟恢复的次数',
      }),
      socketsPerAddress: positive.default(100).meta({
        description: 'sockets without AUTH at once; beyond it the next is refused with 429',
        zh: '同时存在的未完成 AUTH 的连接数；超过后新的连接返回 429',
      }),
      connections: positive.nullable().default(null).meta({
        description:
          'connections at once from all addresses together, on each port; beyond it the next is closed unheard. null: as many as the process may open files for (`ulimit -n`), which is also the most',
        zh: '每个端口上所有地址的同时连接数；超出后新连接直接关闭。null：进程可打开的文件数（`ulimit -n`）所允许的数量，这也是上限',
      }),
    })
    .prefault({})
    .meta({
      description:
        'per address (IPv6: per /64), but for `connections`; addresses of this machine are not limited until `trustProxy` names a proxy, as everybody behind one on this machine has them',
      zh: '按地址限制（IPv6 按 /64），`connections` 除外；设置 `trustProxy` 之前不限制本机地址，因为经过本机反向代理的请求都来自本机',
    }),
  webpush: z
    .strictObject({
      serverKey: z.string().optional().meta({
        description: 'accepted from old configs and ignored: VAPID keys are made by the hub',
        zh: '仅为兼容旧配置，会被忽略：VAPID 密钥由 hub 自动生成',
      }),
      proxy: z.string().optional().meta({ description: 'URL of an HTTP proxy', zh: 'HTTP 代理的 URL' }),
      retryTimeout: duration.default(10_000).meta({
        description: 'ms until a request that failed is tried again',
        zh: '请求失败后重试的等待毫秒数',
      }),
    })
    .prefault({})
    .meta({ description: 'Web Push; sending is not part of this version', zh: 'Web Push；当前版本尚不发送' }),
  fcm: z
    .strictObject({
      projectId: z.string().default('').meta({ description: 'Firebase project', zh: 'Firebase 项目 ID' }),
      applicationId: z.string().default('').meta({ description: 'Firebase application', zh: 'Firebase 应用 ID' }),
      apiKey: z
        .string()
        .default('')
        .meta({ description: 'Firebase API key of the app', zh: 'Firebase 应用的 API key' }),
    })
    .prefault({})
    .meta({
      description: 'what Android clients need for Firebase, handed out at AUTH',
      zh: '安卓客户端所需的 Firebase 参数，AUTH 时下发',
    }),
  clients: z
    .array(
      z.strictObject({
        name: canonical(recipientId).meta({ description: 'name of the recipient', zh: '接收者名称' }),
        group: group().optional().meta({ description: 'its group', zh: '所属的组' }),
        groups: z.array(group()).optional().meta({ description: 'more groups of it', zh: '所属的更多组' }),
      }),
    )
    .default([])
    .meta({
      description: 'recipients known from the start, so that a push before their first connection is kept',
      zh: '预先登记的接收者，首次连接之前的推送也会保留',
    }),
  queue: queueSchema,
  inbox: z
    .strictObject({
      maxMessages: positive.default(10_000).meta({
        description: 'messages waiting at most; above it that name answers `full`',
        zh: '等待中的最大消息数，超过后该名称返回 `full`',
      }),
      maxBytes: positive.default(16 * MIB).meta({
        description: 'bytes waiting at most; above it that name answers `full`',
        zh: '等待中的最大字节数，超过后该名称返回 `full`',
      }),
    })
    .prefault({})
    .meta({ description: 'what may wait for one recipient', zh: '每个接收者可等待的消息上限' }),
  expire: z.number().positive().nullable().default(null).meta({
    description: 'seconds until a message that gives no `expire` is worthless; null: never',
    zh: '未指定 `expire` 的消息的有效秒数；null 表示永不过期',
  }),
  retention: z
    .strictObject({
      days: z
        .number()
        .positive()
        .nullable()
        .default(30)
        .meta({ description: 'days; null: no limit', zh: '保留天数；null 表示不限' }),
      messages: positive.nullable().default(1_000_000).meta({
        description: 'messages; null: no limit',
        zh: '保留消息数；null 表示不限',
      }),
      bytes: positive
        .nullable()
        .default(2048 * MIB)
        .meta({
          description: 'bytes on disk; null: no limit',
          zh: '磁盘占用字节数；null 表示不限',
        }),
    })
    .prefault({})
    .meta({
      description: 'how long settled messages are kept; what still waits is never dropped',
      zh: '已完成消息的保留策略；仍在等待的消息不会被删除',
    }),
  task: taskSchema,
  log: logSchema,
  smtp_relay: smtpRelaySchema,
  data: z.string().min(1).default('./data').meta({
    description: 'directory of everything that survives a restart',
    zh: '数据目录，重启后仍需保留的内容均存于此',
  }),
}

/** The whole schema: our sections, one for each channel that has its own, and the recipients with all platforms. */
export function configSchema(channels: ReadonlyMap<string, Channel>) {
  const ofChannels = [...channels].flatMap(([name, { section }]) => (section ? [[name, section.optional()]] : []))
  const own = z.strictObject({
    ...sections,
    recipients: recipientsSchema(channels, group()),
    sdk: sdkSchema(channels),
  })
  const shape: typeof own.shape = { ...own.shape, ...Object.fromEntries(ofChannels) }
  return z.strictObject(shape)
}

export type Settings = z.infer<ReturnType<typeof configSchema>>

/** A group as old clients write it: the string "null" is none. */
function group() {
  return canonical((raw) => (NO_GROUP.has(raw) ? null : groupId(raw)))
}

/** A name that becomes a canonical address. */
function canonical<T>(read: (raw: string) => T) {
  return z.string().transform((raw, context) => {
    try {
      return read(raw)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  })
}
