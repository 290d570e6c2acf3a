/** What the config says of system notifications. */
import * as z from 'zod'

/** RFC 9110 section 5.6.2 (names) and 5.5 (values) */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e]*$/

/** Keys that mean something for one type only. */
const KEYS_OF: Readonly<Record<string, readonly ('path' | 'url' | 'timeout' | 'headers')[]>> = {
  file: ['path'],
  http: ['url', 'timeout', 'headers'],
}

const entrySchema = z
  .strictObject({
    type: z.enum(['console', 'file', 'syslog', 'http']).meta({
      description:
        'console: on stdout; file: a file for each; syslog: in the log of the hub; http: posted as JSON, or kept in the inbox alone where there is no `url`',
      zh: 'console：输出到控制台；file：每条通知一个文件；syslog：写入应用日志；http：以 JSON 推送，未设置 `url` 时仅保存在内部存储',
    }),
    name: z.string().min(1).optional().meta({ description: 'its name', zh: '名称' }),
    enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
    path: z.string().min(1).optional().meta({
      description:
        'file: folder, from the working directory; `notifications/` unless told; its group may read them where its mode is 2750',
      zh: 'file：目录（相对于工作目录），默认 `notifications/`；目录权限为 2750 时其所属组可读',
    }),
    url: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), { error: 'credentials belong into headers' })
      .optional()
      .meta({ description: 'http: where it is posted', zh: 'http：接收通知的地址' }),
    timeout: z.number().min(0.1).max(300).optional().meta({
      description: 'http: seconds that a request may take; never longer than queue.timeout',
      zh: 'http：请求超时秒数，不会长于 queue.timeout',
    }),
    headers: z
      .record(z.string().regex(HEADER_NAME), z.string().regex(HEADER_VALUE))
      .optional()
      .meta({ description: 'http: headers of the request', zh: 'http：请求头' }),
  })
  .check(({ value, issues }) => {
    for (const [type, keys] of Object.entries(KEYS_OF)) {
      for (const key of keys) {
        if (type === value.type || value[key] === undefined) continue
        issues.push({ code: 'custom', message: `is for type ${type} only`, path: [key], input: value[key] })
      }
    }
  })

export type Entry = z.infer<typeof entrySchema>

const enabled = z.boolean().default(true)

export const platformSchema = z.strictObject({
  enabled: enabled.meta({ description: 'whether it is used', zh: '是否启用' }),
  notifications: z.array(entrySchema).min(1).meta({ description: 'all of them are used', zh: '通知方式，全部执行' }),
})

export const sectionSchema = z
  .strictObject({
    enabled: enabled.meta({
      description: 'false: what cannot be delivered stands in the inbox of `system` alone',
      zh: 'false：无法送达的消息仅保存在 `system` 的收件箱中',
    }),
    notifications: z.array(entrySchema).default([]).meta({
      description: 'all of them are used; none: syslog',
      zh: '通知方式，全部执行；不设置则为 syslog',
    }),
  })
  .prefault({})
  .meta({
    description:
      'the last line of defence: what is done about messages that nothing could deliver, for recipients without a platform `system` of their own',
    zh: '最后防线：所有渠道都失败时的通知方式，用于未设置 `system` 平台的接收者',
  })
