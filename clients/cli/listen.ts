/** `carillon listen`: prints what comes or runs a command for it, acks it, and comes back when the line breaks. */
import { WebSocket } from 'ws'
import { BadArguments } from '../../server/cli/arguments.ts'
import { defineCommand, type ExitCode } from '../../server/cli/command.ts'
import { print, printable, printJson, tell } from '../../server/cli/output.ts'
import { type CloseCause, connect, type Connection, type ConnectionState, type Message } from '../sdk/index.ts'
import { runFor } from './exec.ts'
import { type Hub, hubOf, hubOptions, secondsOf } from './hub.ts'

export default defineCommand({
  name: 'listen',
  usage: 'listen NAME',
  summary: 'Prints the messages for NAME, or runs a command for each',
  notes: [
    'A message is acknowledged when it is printed, with --exec when the command ended with 0; until then it comes',
    'again and later ones wait. The shell runs the command with the title on stdin and CARILLON_MID, CARILLON_TEXT,',
    'CARILLON_DESP, CARILLON_FROM and CARILLON_EXTRA (JSON) in its environment.',
    '',
    'It comes back by itself when the line breaks, and ends with 1 when the hub ends it for good: a wrong token, a',
    'newer client of this name, a removed name. Ctrl-C lets the command at work end first, a second one does not.',
  ],
  options: {
    ...hubOptions,
    group: { type: 'string', value: 'G', about: 'be a member of this group; of none unless told' },
    device: { type: 'string', value: 'D', about: 'a place of its own beside other clients of this name' },
    exec: { type: 'string', value: 'CMD', about: 'run this for each message instead of printing it' },
    'no-ack': { type: 'boolean', about: 'print only: the hub keeps the message, and those behind it' },
    once: { type: 'boolean', about: 'end after one message' },
    count: { type: 'string', value: 'N', about: 'end after so many messages' },
    ping: { type: 'string', value: 'SECONDS', about: 'how often to ask whether the line is alive (25)' },
    json: { type: 'boolean', about: 'print a JSON object for each message; what --exec prints goes to stderr' },
  },
  async run({ values, positionals: [name = ''] }) {
    const hub = hubOf(values)
    const pingMs = values.ping === undefined ? undefined : secondsOf('ping', values.ping) * 1000
    const count = values.once ? 1 : countOf(values.count)
    const { group, device, exec, json = false, 'no-ack': silent = false } = values
    if (silent && exec !== undefined) throw new BadArguments('--no-ack is of no use to --exec')
    const connection = connect(hub.url, { name, group, device, token: hub.token, pingMs, WebSocket })
    const print = json ? printWhole : printLine
    const handler: Handler = exec === undefined ? print : (message) => execute(exec, message, json)
    const stop = silent ? printOnly(connection, print, count) : handle(connection, handler, count)
    onSignals(stop)
    return ended(connection, name, hub)
  },
})

/** @returns Infinity unless told. @throws BadArguments */
function countOf(text: string | undefined): number {
  if (text === undefined) return Infinity
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new BadArguments(`--count is a number of messages, not ${text}`)
  return Number(text)
}

type Handler = (message: Message) => Promise<void>

/** Ends the connection when the message at work is done; no other is begun. */
type Stop = () => Promise<void>

/** Each message once, acked when it was dealt with. */
function handle(connection: Connection, handler: Handler, count: number): Stop {
  let acked = 0
  let atWork = Promise.resolve()
  const takeOff = connection.onMessage((message) => {
    atWork = handler(message)
    return atWork
  })
  connection.on('acked', () => {
    acked += 1
    if (acked === count) void connection.close()
  })
  connection.on('failed', ({ message: { mid }, error }) => {
    tell(`${mid}: ${error instanceof Error ? error.message : String(error)}; not acknowledged, it comes again`)
  })
  return async () => {
    takeOff()
    await atWork.catch(() => {})
    await connection.close()
  }
}

/** Without a handler nothing is acked; the hub sends the same message again and again. */
function printOnly(connection: Connection, print: Handler, count: number): Stop {
  let last = ''
  let printed = 0
  connection.on('message', (message) => {
    if (message.mid === last || printed === count) return
    last = message.mid
    printed += 1
    const isLast = printed === count
    void print(message).then(() => (isLast ? connection.close() : undefined))
  })
  return () => connection.close()
}

/** One message, one line. */
function printLine({ mid, from, text, desp, extra }: Message): Promise<void> {
  const more = Object.keys(extra).length > 0 ? JSON.stringify(extra) : ''
  const line = [mid, from.name && `${from.name}:`, text, desp, more].filter((part) => part !== '').join('  ')
  return print(printable(line))
}

function printWhole({ mid, text, desp, extra, from, sendType, target }: Message): Promise<void> {
  return printJson({ mid, text, desp, extra, from, sendType, target })
}

async function execute(command: string, message: Message, json: boolean): Promise<void> {
  await runFor(command, message, json ? 'stderr' : 'stdout')
  if (json) await printWhole(message)
}

/** Who asks twice does not want to wait. */
function onSignals(stop: Stop): void {
  let asked = false
  function onSignal(): void {
    if (asked) process.exit(1)
    asked = true
    void stop()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal)
}

/** Tells how the line is, until it has ended for good. */
async function ended(connection: Connection, name: string, { url }: Hub): Promise<ExitCode> {
  connection.on('info', (text) => tell(`the hub says: ${printable(text)}`))
  const { why, reason } = await new Promise<Closed>((resolve) => {
    connection.on('state', (state) => {
      if (state.status === 'online') tell(`listening as ${name} on ${url}`)
      if (state.status === 'waiting') tell(`not connected to ${url} (${printable(state.reason)}), ${nextIn(state)}`)
      if (state.status === 'closed') resolve(state)
    })
  })
  await connection.close()
  if (why === 'closed') return 0
  tell(`carillon: the hub ended the connection for good: ${WHYS[why] ?? printable(reason)}`)
  return 1
}

type Closed = Extract<ConnectionState, { status: 'closed' }>

function nextIn({ retryInMs }: { readonly retryInMs: number }): string {
  return `next try in ${(retryInMs / 1000).toFixed(1)} s`
}

const WHYS: Partial<Record<CloseCause, string>> = {
  'bad-token': "the token is wrong; give the hub's token by --token or CARILLON_TOKEN",
  replaced: 'a newer client of this name took over; with a --device of its own each could stay',
  removed: 'the name was removed',
}
