/** Mails on their way to a mail server: a few connections per account, kept for a moment, closed with the hub. */
import type { MailMessage, SendMailOptions, SMTPPoolOptions, SMTPPoolSentMessageInfo, Transporter } from 'nodemailer'
import type { Account } from './accounts.ts'

/** What came of a mail. `left`: its last byte was on its way, so the server may have it all the same. */
export type Sending =
  | { readonly ok: true; readonly info: SMTPPoolSentMessageInfo }
  | { readonly ok: false; readonly error: unknown; readonly left: boolean; readonly cut: Cut | null }

/** Why it was given up: time was up, or the hub stops. */
export type Cut = 'time' | 'stop'

export interface Limits {
  /** ms for the whole of it, waiting for a connection included */
  readonly timeoutMs: number
  /** cuts it, and closes every connection that was opened under this signal */
  readonly signal: AbortSignal
}

export interface Mailer {
  /** Never throws. The envelope must be in `mail`. */
  send(account: Account, mail: SendMailOptions, limits: Limits): Promise<Sending>
}

interface Pool {
  readonly transporter: Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>
  /** signals of the mails whose last byte is on its way */
  readonly left: WeakSet<AbortSignal>
}

/** providers count connections per account, and refuse more than a few */
const MAX_CONNECTIONS = 3
const IDLE_MS = 5_000
/** a server that does not close its end is left */
const CLOSE_MS = 1_000
export const IMPLICIT_TLS_PORT = 465

/** What was opened under one signal, all to be ended by it. */
interface Open {
  readonly pools: Map<string, Promise<Pool>>
  readonly flights: Set<AbortController>
}

/** @param idleMs how long a connection is kept for the next mail */
export function createMailer(idleMs = IDLE_MS): Mailer {
  const opened = new WeakMap<AbortSignal, Open>()

  function openUnder(signal: AbortSignal): Open {
    const known = opened.get(signal)
    if (known) return known
    const open: Open = { pools: new Map(), flights: new Set() }
    opened.set(signal, open)
    signal.addEventListener('abort', () => void end(open), { once: true })
    return open
  }

  function poolOf(account: Account, { pools }: Open): Promise<Pool> {
    const key = JSON.stringify(account)
    const pool = pools.get(key) ?? openPool({ ...connectionOf(account), idleTimeout: idleMs })
    pools.set(key, pool)
    return pool
  }

  return {
    async send(account, mail, { timeoutMs, signal }) {
      const open = openUnder(signal)
      const { transporter, left } = await poolOf(account, open)
      const flight = new AbortController()
      const timer = setTimeout(() => flight.abort(), timeoutMs)
      open.flights.add(flight)
      if (signal.aborted) flight.abort()
      try {
        return { ok: true, info: await transporter.sendMail({ ...mail, signal: flight.signal }) }
      } catch (error) {
        const cut = flight.signal.aborted ? (signal.aborted ? 'stop' : 'time') : null
        return { ok: false, error, left: left.has(flight.signal), cut }
      } finally {
        clearTimeout(timer)
        open.flights.delete(flight)
      }
    },
  }
}

async function end({ flights, pools }: Open): Promise<void> {
  for (const flight of flights) flight.abort()
  for (const { transporter } of await Promise.all(pools.values())) transporter.close({ force: true })
}

/** How nodemailer is to connect. Nothing of it comes from callers. */
export function connectionOf(account: Account): SMTPPoolOptions {
  const { host, port, username, password, tls, timeout } = account
  const connectMs = timeout * 1_000
  return {
    host,
    port,
    secure: port === IMPLICIT_TLS_PORT,
    ...(tls ? { requireTLS: true } : { opportunisticTLS: true, tls: { rejectUnauthorized: false } }),
    ...(username === '' ? {} : { auth: { user: username, pass: password } }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketCloseTimeout: CLOSE_MS,
    maxConnections: MAX_CONNECTIONS,
    // a kept connection may be dead: the mail then takes another, if none of it was sent
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** Loads nodemailer when the first mail is due: a hub without mails goes without. */
async function openPool(options: SMTPPoolOptions): Promise<Pool> {
  const { createTransport } = await import('nodemailer')
  const transporter = createTransport({ ...options, pool: true })
  const left = new WeakSet<AbortSignal>()
  transporter.use('stream', ({ data, message }: MailMessage, done) => {
    message?.processFunc((stream) => stream.once('end', () => data.signal && left.add(data.signal)))
    done()
  })
  return { transporter, left }
}
