/** A real mail server on this machine: takes mails, or refuses, delays and drops them as it is told. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { selfSigned } from './certificate.ts'
import { type ReadMail, readMail } from './mime.ts'

export interface TakenMail extends ReadMail {
  /** of the envelope */
  readonly from: string
  readonly to: readonly string[]
  /** who logged in; null where nobody did */
  readonly user: string | null
  readonly secure: boolean
  /** its text as it came, one character for each byte */
  readonly raw: string
}

export interface Reply {
  readonly code: number
  readonly text: string
}

/** What it says to a command instead of yes; `data` is its answer to the whole text. */
export interface Refusals {
  connect?: Reply
  auth?: Reply
  mail?: Reply
  /** of each recipient that is not to be taken */
  rcpt?: Readonly<Record<string, Reply>>
  data?: Reply | 'cut' | 'silent'
  /** drops the connection on RCPT, before any text came */
  cutAtRcpt?: boolean
}

export interface MailServer {
  readonly port: number
  readonly mails: readonly TakenMail[]
  /** that were ever opened */
  readonly connections: number
  /** that are open now */
  readonly open: number
  /** from now on */
  refuse: Refusals
  /** Waits until something is so; looks whenever a mail or connection comes or goes. */
  until(holds: () => boolean): Promise<void>
  close(): Promise<void>
}

export interface MailServerOptions {
  /** `starttls` unless told */
  readonly tls?: 'none' | 'starttls' | 'implicit'
  /** who may log in; everybody without a login where there is none */
  readonly account?: { readonly username: string; readonly password: string }
  readonly pipelining?: boolean
  /** most bytes of a mail */
  readonly size?: number
  readonly port?: number
}

/** Listens on 127.0.0.1, with the certificate of `certificate.ts`. */
export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { tls = 'starttls', account, pipelining = true, size, port: wanted = 0 } = options
  const mails: TakenMail[] = []
  const looks = new Set<() => void>()
  const changed = () => {
    for (const look of looks) look()
  }
  const sockets = new Map<number | undefined, Socket>()
  const cut = ({ remotePort }: SMTPServerSession) => void sockets.get(remotePort)?.destroy()
  let connections = 0

  const server: SMTPServer = new SMTPServer({
    ...selfSigned,
    secure: tls === 'implicit',
    hideSTARTTLS: tls === 'none',
    disabledCommands: [...(tls === 'none' || tls === 'implicit' ? ['STARTTLS'] : []), ...(account ? [] : ['AUTH'])],
    hidePIPELINING: !pipelining,
    ...(size === undefined ? {} : { size }),
    allowInsecureAuth: true,
    authOptional: account === undefined,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onConnect(_, done) {
      connections += 1
      changed()
      done(errorOf(mailServer.refuse.connect))
    },
    onClose: changed,
    onAuth({ username, password }, _, done) {
      const { auth } = mailServer.refuse
      if (auth) return done(errorOf(auth))
      if (username === account?.username && password === account?.password) return done(null, { user: username })
      done(errorOf({ code: 535, text: `5.7.8 no such user or password: ${username} ${password}` }))
    },
    onMailFrom: (_, __, done) => done(errorOf(mailServer.refuse.mail)),
    onRcptTo({ address }, session, done) {
      if (mailServer.refuse.cutAtRcpt) return cut(session)
      done(errorOf(mailServer.refuse.rcpt?.[address]))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => {
        const { data } = mailServer.refuse
        if (data === 'cut') return cut(session)
        const raw = Buffer.concat(chunks).toString('latin1')
        if (data === undefined || data === 'silent') mails.push({ ...takenFrom(session), raw, ...readMail(raw) })
        changed()
        if (data !== 'silent') done(errorOf(data))
      })
    },
  })
  server.on('error', () => {})
  server.server.on('connection', (socket) => void sockets.set(socket.remotePort, socket))
  server.listen(wanted, '127.0.0.1')
  await once(server.server, 'listening')

  const mailServer: MailServer = {
    port: (server.server.address() as AddressInfo).port,
    mails,
    get connections() {
      return connections
    },
    get open() {
      return server.connections.size
    },
    refuse: {},
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return
          looks.delete(look)
          resolve()
        }
        looks.add(look)
        look()
      }),
    async close() {
      const closed = once(server.server, 'close')
      server.close()
      for (const socket of sockets.values()) socket.destroy()
      await closed
    },
  }
  return mailServer
}

function takenFrom({ envelope, user, secure }: SMTPServerSession): Pick<TakenMail, 'from' | 'to' | 'user' | 'secure'> {
  return {
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    user: user === undefined ? null : String(user),
    secure,
  }
}

function errorOf(reply: Reply | undefined): Error | null {
  return reply ? Object.assign(new Error(reply.text), { responseCode: reply.code }) : null
}

/** Lets everything through to a mail server, and keeps what clients say, one character for each byte. */
export async function startTap(port: number): Promise<{ port: number; said(): string; close(): Promise<void> }> {
  const chunks: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const onward = connect(port, '127.0.0.1')
    for (const socket of [client, onward]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    client.on('data', (chunk: Buffer) => void chunks.push(chunk))
    client.pipe(onward).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    said: () => Buffer.concat(chunks).toString('latin1'),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A server that answers each line of a client as it is told, for what no decent server would say. */
export async function startScriptedServer(
  greeting: string,
  answer: (line: string) => string | null = () => null,
): Promise<{ port: number; readonly lines: readonly string[]; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const lines: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.write(greeting)
    createInterface({ input: socket }).on('line', (line) => {
      lines.push(line)
      const reply = answer(line)
      if (reply !== null) socket.write(reply)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
