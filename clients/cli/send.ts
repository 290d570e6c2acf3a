/** `carillon send`: one push by HTTP, and how far it got with each name. */
import { BadArguments } from '../../server/cli/arguments.ts'
import { defineCommand, type ExitCode } from '../../server/cli/command.ts'
import { print, printJson, printable, tell } from '../../server/cli/output.ts'
import { CarillonError, createSender, type Push, type Pusher, type Receipt } from '../sdk/index.ts'
import { hubOf, hubOptions, secondsOf } from './hub.ts'
import { MEANINGS, standingOf } from './states.ts'
import { type Text, textOf } from './text.ts'
import { untilSettled } from './wait.ts'

export default defineCommand({
  name: 'send',
  usage: 'send NAME [TEXT]',
  summary: 'Sends a message and tells how far it got with each name',
  notes: [
    'Where TEXT is - or missing, it comes from stdin: its first line is the title, the rest the body; with --desp',
    'all of it is the title. By itself it waits as long as the hub does (5 s) for acks, with --wait until everybody',
    'has it, nobody can any more, or the time is over. A name with robots, mail or phones alone stays at wait.',
    '',
    'Exit codes: 0 everybody has it; 1 no answer, whether it was accepted is not known; 2 wrong command line;',
    '3 sent, not acknowledged by everybody yet; 4 refused, or somebody will not get it (no, full, expired, failed);',
    '5 not acknowledged by everybody when the time of --wait was over.',
  ],
  options: {
    ...hubOptions,
    group: { type: 'boolean', about: 'NAME is a group' },
    desp: { type: 'string', value: 'TEXT', about: 'the body' },
    extra: {
      type: 'string',
      multiple: true,
      value: 'K=V',
      about: 'more for the receiving app, as often as needed; K:=V for JSON (level:=2)',
    },
    expire: { type: 'string', value: 'SECONDS', about: 'it is worthless after so long' },
    idem: { type: 'string', value: 'KEY', about: 'idempotency key: with the same one it is sent once in 24 hours' },
    wait: { type: 'string', value: 'SECONDS', bare: '60', about: 'wait until everybody has it (60)' },
    json: { type: 'boolean', about: 'print one JSON object' },
  },
  async run({ values, positionals: [name = '', text] }) {
    const hub = hubOf(values)
    const waitMs = values.wait === undefined ? null : secondsOf('wait', values.wait) * 1000
    const content = {
      ...(await textOf(text, values.desp)),
      extra: extraOf(values.extra ?? []),
      expire: values.expire === undefined ? undefined : secondsOf('expire', values.expire),
    }
    refuseNothing(content)
    const push: Push = values.group ? { ...content, group: name } : { ...content, to: name }
    const sender = createSender(hub.url, { token: hub.token || undefined })
    return tellEnd(await pushed(sender, push, values.idem, waitMs), push, values.json ?? false)
  },
})

interface End {
  readonly receipt: Receipt | null
  readonly error: CarillonError | null
  readonly exitCode: ExitCode
}

/** @param waitMs null: what the hub says first is the end */
async function pushed(sender: Pusher, push: Push, key: string | undefined, waitMs: number | null): Promise<End> {
  const ask = (key?: string, retryForMs?: number) => sender.push(push, { key, retryForMs })
  try {
    const receipt = await (waitMs === null ? ask(key) : untilSettled(ask, key, waitMs))
    return { receipt, error: null, exitCode: exitCodeOf(receipt, waitMs !== null) }
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error
    return { receipt: null, error, exitCode: error.maybeAccepted ? 1 : 4 }
  }
}

/** @throws BadArguments */
function extraOf(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new BadArguments(`--extra is K=V, not ${pair}`)
      const [key, value] = [pair.slice(0, at), pair.slice(at + 1)]
      return key.endsWith(':') ? [key.slice(0, -1), jsonOf(pair, value)] : [key, value]
    }),
  )
}

function jsonOf(pair: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BadArguments(`--extra K:=V needs JSON behind := , not ${pair}`)
  }
}

/** An empty pipe is a mistake more often than a message. */
function refuseNothing({ text, desp = '', extra }: Text & { readonly extra: object }): void {
  if (text === '' && desp === '' && Object.keys(extra).length === 0)
    throw new BadArguments('there is nothing to send: no TEXT, and nothing on stdin')
}

function exitCodeOf(receipt: Receipt, waited: boolean): ExitCode {
  const standing = standingOf(receipt)
  if (standing === 'open') return waited ? 5 : 3
  return standing === 'arrived' ? 0 : 4
}

/** A line for each name, or all as one object; what went wrong also in words. */
async function tellEnd(end: End, { group = '' }: Push, json: boolean): Promise<ExitCode> {
  const { receipt, error, exitCode } = end
  const states = Object.entries(receipt?.states ?? {})
  if (error) tell(`carillon: ${printable(error.message)}`)
  else if (states.length === 0) tell(`carillon: nobody is in the group ${group}`)
  if (json) await printJson(objectOf(end))
  else for (const [name, state] of states) await print(`${name}: ${state}, ${MEANINGS[state]}`)
  return exitCode
}

const OUTCOMES: Readonly<Record<ExitCode, string>> = {
  0: 'acked',
  1: 'unknown',
  2: 'wrong',
  3: 'sent',
  4: 'refused',
  5: 'timeout',
}

function objectOf({ receipt, error, exitCode }: End) {
  return {
    outcome: OUTCOMES[exitCode],
    mid: receipt?.mid ?? null,
    states: receipt?.states ?? {},
    error: error && { code: error.code, status: error.status, message: error.message },
  }
}
