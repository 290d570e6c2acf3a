/**
 * The calls of the multi-platform SDK: their paths, parameters and the section of the config that holds their
 * account. Each names its own target; each is one message to a built-in recipient of its own.
 */
import * as z from 'zod'
import type { RecipientId } from './address.ts'

/** What a call asks for, in our words. */
export interface Call {
  readonly title: string
  readonly body: string
  /** as the channel's `direct.target` reads it */
  readonly target: Readonly<Record<string, unknown>>
}

export interface CallKind {
  readonly path: string
  /** `sdk.<section>` */
  readonly section: string
  readonly channel: string
  /** JSON or form fields, where every value may be a string */
  readonly fields: z.ZodType<Call>
}

const MISSING = '不能为空'
const text = z.coerce
  .string({ error: MISSING })
  .refine((value) => value !== '' && value !== 'undefined' && value !== 'null', { error: MISSING })
/** One, several, or several in one string with commas, as forms write them. */
const list = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value),
  z.array(z.union([z.string(), z.number()]).transform(String), { error: '必须是数组' }).transform(withoutBlanks),
)
const someOf = list.refine((items) => items.length > 0, { error: MISSING })
const flag = z.preprocess(
  (value) =>
    value === 'true' || value === '1' || value === 1
      ? true
      : value === 'false' || value === '0' || value === 0
        ? false
        : value,
  z.boolean({ error: '必须是布尔值' }),
)
/** What a template is filled with: an object or a list, in a form as JSON. */
const params = z.preprocess(fromJson, z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]))
const phone = z.object({ to: someOf, content: text, template: z.string().optional(), params: params.optional() })

export const calls: readonly CallKind[] = [
  {
    path: '/email/send/message',
    section: 'email',
    channel: 'email',
    fields: z
      .object({ subject: text, from: text, to: someOf, cc: list.default([]), content: text })
      .transform(({ subject, content, ...target }) => ({ title: subject, body: content, target })),
  },
  {
    path: '/slack/send/message',
    section: 'slack',
    channel: 'slack',
    fields: z.object({ channel: text, content: text }).transform(({ content, ...target }) => alone(content, target)),
  },
  {
    path: '/dingding/send/message',
    section: 'dingding',
    channel: 'dingtalk',
    fields: z
      .object({ content: text, isAtAll: flag, atMobiles: list.default([]) })
      .refine(({ isAtAll, atMobiles }) => isAtAll || atMobiles.length > 0, {
        path: ['atMobiles'],
        error: 'isAtAll 为 false 时不能为空',
      })
      .transform(({ content, ...target }) => alone(content, target)),
  },
  {
    path: '/wx/apps/send',
    section: 'wx',
    channel: 'wecom-app',
    fields: z
      .object({ touser: text, agentid: text, content: text })
      .transform(({ content, ...target }) => alone(content, target)),
  },
  {
    path: '/dingding/call',
    section: 'call',
    channel: 'ding',
    fields: z.object({ userIds: someOf, content: text }).transform(({ content, ...target }) => alone(content, target)),
  },
  {
    path: '/sms/send',
    section: 'sms',
    channel: 'sms',
    fields: phone.transform(({ content, ...target }) => alone(content, target)),
  },
  {
    path: '/vms/send',
    section: 'vms',
    channel: 'voice',
    fields: phone.transform(({ content, ...target }) => alone(content, target)),
  },
]

/** The built-in recipient that a call's messages are for. */
export function recipientOf({ section }: Pick<CallKind, 'section'>): RecipientId {
  return `sdk-${section}@app`
}

/** The first thing wrong with a call, with its parameter: `subject 不能为空`. */
export function problemOf(error: z.ZodError): string {
  const [issue] = error.issues
  const name = issue?.path.join('.') ?? ''
  return name === '' ? '参数错误' : `${name} ${issue?.message ?? ''}`
}

function alone(content: string, target: Call['target']): Call {
  return { title: content, body: '', target }
}

function withoutBlanks(items: readonly string[]): string[] {
  return items.filter((item) => item.trim() !== '')
}

function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
