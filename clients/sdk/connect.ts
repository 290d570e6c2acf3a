import { createCalls } from './calls.ts'
import { systemClock } from './clock.ts'
import { CarillonError } from './error.ts'
import { createEvents } from './events.ts'
import { createInbox } from './inbox.ts'
import { createLine } from './line.ts'
import { createMemory } from './memory.ts'
import type { Incoming } from './packets.ts'
import type { Connection, ConnectionState, ConnectOptions, WebSocketConstructor } from './types.ts'
import { hubUrl } from './url.ts'
import { pageWake } from './wake.ts'

const PING_MS = 25_000
/** A handler that waits for `close()` waits for itself. */
const LAST_HANDLER_MS = 10_000

/**
 * Connects to a hub as a recipient and stays connected until `close()`, or until the hub ends it for good.
 * @param url of the hub: `http:`, `https:`, `ws:` or `wss:`
 * @throws Error when there is no WebSocket to be had; TypeError when the URL is none
 */
export function connect(url: string, options: ConnectOptions): Connection {
  const { name, token = '', group, device, window, confirms } = options
  const { clock = systemClock, random = Math.random, memory = createMemory() } = options
  let closing: Promise<void> | null = null
  const events = createEvents()
  const calls = createCalls({ send: (frame) => line.send(frame), clock, random })
  const inbox = createInbox(memory, ack, events)
  const line = createLine({
    url: hubUrl(url, 'ws'),
    WebSocket: options.WebSocket ?? ownWebSocket(),
    auth: { token, name, group, device, window, confirms },
    pingMs: options.pingMs ?? PING_MS,
    wake: options.wake ?? pageWake(globalThis),
    clock,
    random,
    changed,
    received,
    broke: (code) => calls.down(code),
  })

  function changed(state: ConnectionState): void {
    if (state.status === 'online') inbox.reset()
    if (state.status === 'closed') void inbox.stop()
    events.emit('state', state)
    if (state.status === 'online') calls.up()
    if (state.status === 'closed') calls.end()
  }

  function received(packet: Incoming): void {
    calls.answer(packet)
    if (packet.cmd === 'MESSAGE') inbox.take(packet.message)
    if (packet.cmd === 'MESSAGE_REPLY') events.emit('reply', packet.receipt)
    if (packet.cmd === 'INFO') events.emit('info', packet.text)
    if (packet.cmd !== 'CLEAR') return
    inbox.drop(packet.clear.mid)
    events.emit('clear', packet.clear)
  }

  /** Where there is no line just now, the hub sends the message again and gets the ack then. */
  function ack(mid: string): void {
    line.send(`{"cmd":"MESSAGE_CALLBACK","data":{"mid":"${mid}"}}`)
  }

  async function finish(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(LAST_HANDLER_MS, resolve)
      void inbox.stop().then(() => {
        cancel()
        resolve()
      })
    })
    await line.close()
  }

  return {
    get state() {
      return line.state
    },
    ready: () =>
      new Promise((resolve, reject) => {
        const look = (state: ConnectionState) => {
          if (state.status !== 'online' && state.status !== 'closed') return
          stop()
          if (state.status === 'online') resolve()
          else reject(new CarillonError('closed', state.reason))
        }
        const stop = events.on('state', look)
        look(line.state)
      }),
    onMessage: inbox.onMessage,
    confirm: calls.confirm,
    push: calls.push,
    on: events.on,
    close: () => (closing ??= finish()),
  }
}

function ownWebSocket(): WebSocketConstructor {
  const found: unknown = Reflect.get(globalThis, 'WebSocket')
  if (isConstructor(found)) return found
  throw new Error(
    'there is no WebSocket here: pass one, such as that of the package ws: connect(url, { WebSocket, … })',
  )
}

function isConstructor(value: unknown): value is WebSocketConstructor {
  return typeof value === 'function'
}
