/** The model of a client: says who it is, prints what comes, acks it, and comes back when the line breaks. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { closeCodes } from '../../server/protocol/errors.ts'

const USAGE = 'NAME [--url ws://127.0.0.1:9093] [--token T] [--group G] [--no-ack] [--ping SECONDS]'
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000
/** Coming back would not help, or would drive out the newer client of this name. */
const FINAL_CODES: readonly number[] = [closeCodes.replaced, closeCodes.removed, closeCodes.badToken]

const packetSchema = z.object({ cmd: z.string(), data: z.unknown() })
const authSchema = z.object({ code: z.number(), msg: z.string() })
const messageSchema = z.object({
  mid: z.string(),
  from: z.object({ name: z.string() }),
  message: z.object({ text: z.string(), desp: z.string(), extra: z.record(z.string(), z.unknown()) }),
})

const options = readArguments(process.argv.slice(2))
let failures = 0
let lastMid = ''

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0))
connect()

function connect(): void {
  const socket = new WebSocket(options.url)
  let heard = true
  let fault = ''
  const send = (cmd: string, data?: unknown) => socket.send(JSON.stringify({ cmd, data }))
  function ping(): void {
    if (socket.readyState !== WebSocket.OPEN) return
    // nothing came since the last PING: a line that is dead and does not know it
    if (!heard) return socket.terminate()
    heard = false
    send('PING')
  }

  const pinging = setInterval(ping, options.pingMs)
  socket.on('open', () => send('AUTH', { token: options.token, name: options.name, group: options.group }))
  socket.on('message', (frame: Buffer) => {
    heard = true
    receive(frame.toString(), send)
  })
  socket.on('error', (error) => (fault = error.message))
  socket.on('close', (code, reason) => {
    clearInterval(pinging)
    comeBack(code, String(reason) || fault || 'no connection')
  })
}

function receive(frame: string, send: (cmd: string, data: unknown) => void): void {
  const { cmd, data } = packetSchema.parse(JSON.parse(frame))
  if (cmd === 'AUTH') signedIn(authSchema.parse(data))
  if (cmd === 'INFO') say(`the hub says: ${String(data)}`)
  if (cmd !== 'MESSAGE') return
  const message = messageSchema.parse(data)
  // at least once: a message comes again, with the same mid, when the hub did not get the ack
  if (message.mid !== lastMid) print(message)
  lastMid = message.mid
  if (options.acks) send('MESSAGE_CALLBACK', { mid: message.mid })
}

function signedIn({ code, msg }: z.infer<typeof authSchema>): void {
  if (code !== 200) return giveUp(`${msg}: give the hub's token by --token or CARILLON_TOKEN`)
  failures = 0
  say(`listening as ${options.name} on ${options.url}`)
}

function print({ mid, from, message: { text, desp, extra } }: z.infer<typeof messageSchema>): void {
  const more = Object.keys(extra).length > 0 ? JSON.stringify(extra) : ''
  const line = [mid, from.name && `${from.name}:`, text, desp, more].filter((part) => part !== '').join('  ')
  // one message, one line, and nothing that a terminal obeys
  process.stdout.write(`${line.replaceAll(/\p{Cc}+/gu, ' ')}\n`)
}

function comeBack(code: number, reason: string): void {
  if (FINAL_CODES.includes(code)) giveUp(`the hub ended the connection for good: ${reason} (${code})`)
  const ms = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (0.5 + Math.random() / 2)
  failures += 1
  say(`not connected to ${options.url} (${reason}), next try in ${(ms / 1000).toFixed(1)} s`)
  setTimeout(connect, ms)
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const
  const flags = { url: text, token: text, group: text, ping: text, 'no-ack': { type: 'boolean' } } as const
  try {
    const { values, positionals } = parseArgs({ args, options: flags, allowPositionals: true })
    const { url = 'ws://127.0.0.1:9093', group, ping = '30', 'no-ack': silent = false } = values
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new Error('one name is needed')
    if (!(Number(ping) > 0)) throw new Error('--ping is a number of seconds')
    const token = values.token ?? process.env['CARILLON_TOKEN'] ?? tokenOfThisMachine(url)
    return { name, url, group, token, acks: !silent, pingMs: Number(ping) * 1000 }
  } catch (error) {
    giveUp(`${error instanceof Error ? error.message : String(error)}\n\nnpm run listen -- ${USAGE}`)
  }
}

/** The token that a hub without a config made for itself; other machines are not told it. */
function tokenOfThisMachine(url: string): string {
  const file = join(process.env['CARILLON_DATA'] ?? 'data', 'token')
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
  return isHere && existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function giveUp(line: string): never {
  say(line)
  process.exit(1)
}
