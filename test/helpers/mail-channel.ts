/** The mail channel in front of a mail server on this machine. */
import type { Endpoint, Io, Sent } from '../../server/channels/channel.ts'
import type { Content } from '../../server/channels/content.ts'
import email from '../../server/channels/email.ts'
import { createLog } from '../../server/ground/log.ts'
import { type MailServer, type MailServerOptions, startMailServer, type TakenMail } from './mail.ts'

export const LOGIN = { username: 'hub@example.com', password: 'pass word 密+/=' }
export const FROM = 'alerts@example.com'
const BACKOFF = { firstMs: 1_000, maxMs: 60_000, tries: 3 }

export interface MailBench {
  readonly server: MailServer
  /** that sends over the server, logged in, without TLS */
  endpoint(recipients?: readonly unknown[], smtp?: object): Endpoint
  /** that sends where each message says */
  direct(account?: object): Endpoint
  send(content: Content, endpoint?: Endpoint, timeoutMs?: number): Promise<Sent>
  /** What arrived of it. The channel must say so too. */
  deliver(content: Content, endpoint?: Endpoint): Promise<TakenMail>
  /** ends what is in flight, as a hub that stops */
  stop(): void
  logged(): string
  close(): Promise<void>
}

export async function startMailBench(options: MailServerOptions = {}): Promise<MailBench> {
  const server = await startMailServer({ tls: 'none', account: LOGIN, ...options })
  const control = new AbortController()
  let lines = ''
  const io: Io = {
    http: { request: () => Promise.reject(new Error('mails need no HTTP')), close: () => Promise.resolve() },
    log: createLog('trace', { write: (line) => void (lines += line) }),
    now: () => 1_800_000_000_000,
    hubToken: 'canary-hub-token',
    timeoutMs: 5_000,
    signal: control.signal,
  }
  const account = { host: '127.0.0.1', port: server.port, ...LOGIN, from: FROM, tls: false }

  const bench: MailBench = {
    server,
    endpoint(recipients = [{ email: 'ops@example.com' }], smtp = {}) {
      const [endpoint] = email.endpoints({ smtp: { ...account, ...smtp }, recipients }, undefined, BACKOFF)
      if (!endpoint) throw new Error('the platform has no endpoint')
      return endpoint
    },
    direct(given = {}) {
      const endpoint = email.direct({ ...account, ...given })
      if (!endpoint) throw new Error('the channel takes no direct calls')
      return endpoint
    },
    send: (content, endpoint = bench.endpoint(), timeoutMs = io.timeoutMs) =>
      endpoint.send(content, { ...io, timeoutMs }),
    async deliver(content, endpoint) {
      const before = server.mails.length
      const outcome = await bench.send(content, endpoint)
      const [mail, ...more] = server.mails.slice(before)
      if (outcome.kind !== 'accepted' || !mail || more.length > 0) throw new Error(JSON.stringify(outcome))
      return mail
    },
    stop: () => control.abort(),
    logged: () => lines,
    async close() {
      control.abort()
      await server.close()
    },
  }
  return bench
}
