/** Packets as PROTOCOL.md has them: written for the hub, and read from it without trusting it. */
import type { ErrorName } from '../../server/protocol/errors.ts'
import type { Clear, Message, Push, Receipt, State } from './types.ts'

export type Incoming =
  | { readonly cmd: 'AUTH'; readonly code: number; readonly msg: string; readonly auth: string }
  | { readonly cmd: 'MESSAGE'; readonly message: Message }
  | { readonly cmd: 'MESSAGE_REPLY'; readonly id: string; readonly receipt: Receipt }
  | { readonly cmd: 'CLEAR'; readonly clear: Clear }
  | { readonly cmd: 'INFO'; readonly id: string; readonly text: string; readonly error: ErrorName | null }

/** The packet in a frame; null for one that says nothing more than that the line is alive. */
export function readFrame(frame: unknown): Incoming | null {
  const packet = parse(frame)
  const { cmd, data } = packet
  const id = text(packet['id'])
  const { code, msg, auth, mid, by } = record(data)
  switch (cmd) {
    case 'AUTH':
      return { cmd, code: Number(code), msg: text(msg), auth: text(auth) }
    case 'MESSAGE':
      return { cmd, message: readMessage(record(data)) }
    case 'MESSAGE_REPLY':
      return { cmd, id, receipt: readReceipt(record(data), '') }
    case 'CLEAR':
      return { cmd, clear: { mid: text(mid), by: text(by) } }
    case 'INFO':
      return { cmd, id, text: text(data), error: errorName(packet['error']) }
    default:
      return null
  }
}

/** The answer to a push by HTTP, flat or nested; null if it is none. @param mid of the header */
export function readReply(body: string, mid: string): Receipt | null {
  const { cmd, data } = parse(body)
  return cmd === 'MESSAGE_REPLY' ? readReceipt(record(data), mid) : null
}

/** Why a push by HTTP was refused. */
export function readInfo(body: string): string {
  return text(parse(body)['data'])
}

/** The name of an error; a newer hub may have more of them. */
export function errorName(value: unknown): ErrorName | null {
  return isErrorName(value) ? value : null
}

/** The data of a MESSAGE. */
export function pushData(push: Push, idem: string | undefined): object {
  const { to, group, text, desp, extra, expire } = push
  const [sendType, target] = group === undefined ? ['personal', to] : ['group', group]
  return { sendType, target, message: { text, desp, extra }, expire, idem }
}

function readMessage(data: Record<string, unknown>): Message {
  const { mid, sendType, target } = data
  const message = record(data['message'])
  const from = record(data['from'])
  return {
    mid: text(mid),
    text: text(message['text']),
    desp: text(message['desp']),
    extra: record(message['extra']),
    from: { method: from['method'] === 'websocket' ? 'websocket' : 'http', name: text(from['name']) },
    sendType: sendType === 'group' ? 'group' : 'personal',
    target: text(target),
  }
}

/** A recipient named `status` has a word there, not a map. */
function readReceipt(data: Record<string, unknown>, mid: string): Receipt {
  const isNested = typeof data['status'] === 'object'
  const states: Record<string, State> = {}
  for (const [name, state] of Object.entries(isNested ? record(data['status']) : data)) {
    if (isState(state)) states[name] = state
  }
  return { mid: (isNested ? text(data['mid']) : mid) || null, states }
}

function parse(frame: unknown): Record<string, unknown> {
  try {
    return record(JSON.parse(text(frame)))
  } catch {
    return {}
  }
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Words that a newer hub may have pass as they are. */
function isState(value: unknown): value is State {
  return typeof value === 'string'
}

function isErrorName(value: unknown): value is ErrorName {
  return typeof value === 'string' && value !== ''
}
