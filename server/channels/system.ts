/**
 * Notifications of the hub itself: to the terminal, to files, to its log, to a program by HTTP. What nothing could
 * deliver ends here, so nothing in here throws.
 */
import { normalize } from 'node:path'
import type * as z from 'zod'
import { systemClock } from '../ground/clock.ts'
import { SYSTEM, wireName } from '../protocol/address.ts'
import { type Addressed, defineChannel, type Io, type Outcome } from './channel.ts'
import { refusal, unanswered } from './outbound/outcomes.ts'
import { fingerprint, secretsOfUrl } from './outbound/secrets.ts'
import { type Entry, platformSchema, sectionSchema } from './system/config.ts'
import { codeOf, createFolder } from './system/file.ts'
import { type Notice, noticeOf, sheetOf } from './system/notice.ts'

const ACCEPTED: Outcome = { kind: 'accepted' }
/** where the section names none */
const SYSLOG: Entry = { type: 'syslog', enabled: true }
const USUAL_PATH = 'notifications/'
/** headers that are no secrets */
const PLAIN_HEADERS = new Set(['content-type', 'accept', 'user-agent'])
const LEVELS = { error: 'error', warning: 'warn', info: 'info', success: 'info' } as const

type Address =
  | { readonly type: 'console' }
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'syslog' }
  /** null: the inbox of `system` is all that is asked for */
  | { readonly type: 'http'; readonly post: Post | null }

interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** absent: `queue.timeout` is what it may take */
  readonly timeoutMs?: number
}

interface Part {
  readonly notice: Notice
  readonly sheet: string
}

/** @param print writes to the terminal; rejects with what went wrong */
export function systemChannel(print: (text: string) => Promise<void>) {
  const folder = createFolder()

  return defineChannel<z.infer<typeof platformSchema>, Address, Part, z.infer<typeof sectionSchema>>({
    name: 'system',
    title: { en: 'System notifications', zh: '系统通知' },
    credentials: {
      en: 'Nothing is needed. For `http` give the `url` of your program, and a token in `headers` if it asks for one.',
      zh: '无需凭据。`http` 方式填写接收程序的 `url`，如需认证可在 `headers` 中设置令牌。',
    },
    platform: platformSchema,
    example: {
      notifications: [
        { type: 'console', name: '控制台通知' },
        { type: 'file', name: '文件通知', path: 'notifications/' },
        { type: 'syslog', name: '系统日志' },
        {
          type: 'http',
          name: 'HTTP通知',
          url: 'https://monitor.example.com/notify',
          timeout: 10,
          headers: { Authorization: 'Bearer kq83-example-token' },
        },
      ],
    },
    section: sectionSchema,
    capabilities: {
      ordered: false,
      onUnknown: 'retry',
      shared: false,
      success: 'accepted',
      limits: null,
      rates: [],
    },

    addresses: ({ notifications }) => notifications.filter(({ enabled }) => enabled).map(addressed),

    recipients({ enabled, notifications }) {
      const entries = notifications.length === 0 ? [SYSLOG] : notifications.filter((entry) => entry.enabled)
      return enabled ? entries.map((entry) => ({ ...addressed(entry), recipient: wireName(SYSTEM), group: null })) : []
    },

    server: (address) => (address.type === 'http' ? (address.post?.url ?? null) : null),

    render: (content) => [{ notice: noticeOf(content), sheet: sheetOf(content) }],

    async send({ notice, sheet }, address, { recipient }, io) {
      switch (address.type) {
        case 'console':
          return attempted(print(sheet), io.timeoutMs)
        case 'file':
          return attempted(folder.write(address.path, sheet, io.now()), io.timeoutMs)
        case 'syslog':
          io.log[LEVELS[notice.type]]({ ...notice, recipient }, '系统通知')
          return ACCEPTED
        case 'http':
          return address.post === null ? ACCEPTED : post(notice, address.post, io)
      }
    },
  })
}

export default systemChannel(toStdout)

function addressed({ type, name = type, path = USUAL_PATH, url, headers = {}, timeout }: Entry): Addressed<Address> {
  switch (type) {
    case 'console':
    case 'syslog':
      return { id: type, name, address: { type }, secrets: [] }
    case 'file':
      return { id: `file:${fingerprint(normalize(`${path}/`))}`, name, address: { type, path }, secrets: [] }
    case 'http': {
      if (url === undefined) return { id: type, name, address: { type, post: null }, secrets: [] }
      return {
        id: `http:${fingerprint(url)}`,
        name,
        address: {
          type,
          post: { url, headers: lowerCased(headers), ...(timeout === undefined ? {} : { timeoutMs: timeout * 1_000 }) },
        },
        secrets: [...secretsOfUrl(url), ...secretsOf(lowerCased(headers))],
      }
    }
  }
}

async function post(notice: Notice, { headers, ...to }: Post, { http }: Io): Promise<Outcome> {
  const answer = await http.request({
    ...to,
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(notice),
    trusted: true,
  })
  if (!answer.ok) return unanswered(answer)
  if (answer.status >= 200 && answer.status < 300) return ACCEPTED
  return refusal(answer, null, new Map())
}

/** A terminal or a disk may take its time for ever: what comes later than this, in ms, is not listened to. */
function attempted(work: Promise<void>, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const late = { kind: 'unknown', detail: `no answer within ${timeoutMs / 1_000} s` } as const
    const cancel = systemClock.after(timeoutMs, () => resolve(late))
    const end = (outcome: Outcome) => {
      cancel()
      resolve(outcome)
    }
    work.then(
      () => end(ACCEPTED),
      (error: unknown) => end({ kind: 'retry', detail: codeOf(error) }),
    )
  })
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Each value, and of `Bearer abc` the last word alone too. */
function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const values = Object.entries(headers).flatMap(([name, value]) => (PLAIN_HEADERS.has(name) ? [] : [value]))
  return values.flatMap((value) => [value, value.split(' ').at(-1) ?? ''])
}

/** A terminal that is gone must not end the hub: its error is nobody's but the caller's. */
function toStdout(text: string): Promise<void> {
  const { stdout } = process
  if (!stdout.listeners('error').includes(ignore)) stdout.on('error', ignore)
  return new Promise((resolve, reject) => {
    stdout.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

function ignore(): void {}
