/** Messages on their way to the handler: one at a time, in order, each once, and acked when it is done. */
import type { Events } from './events.ts'
import type { Memory, Message, MessageHandler } from './types.ts'

export interface Inbox {
  take(message: Message): void
  /** It is dealt with elsewhere: if it still waits, it is not handled any more. */
  drop(mid: string): void
  /** A new session: the hub sends again what it is owed an ack for. */
  reset(): void
  onMessage(handler: MessageHandler): () => void
  /** Begins no other message; resolves when the handler at work is done. */
  stop(): Promise<void>
}

export function createInbox(memory: Memory, ack: (mid: string) => void, events: Events): Inbox {
  /** what came and is not done, by mid */
  const here = new Map<string, Message>()
  const waiting: Message[] = []
  let handler: MessageHandler | null = null
  let arriving = Promise.resolve()
  let atWork: { readonly mid: string; readonly done: Promise<void> } | null = null
  let stopped = false

  /** A memory may take its time: one after another, so that they stay in order. */
  async function arrive(message: Message): Promise<void> {
    try {
      const known = await memory.has(message.mid)
      if (here.get(message.mid) !== message) return
      if (known) {
        here.delete(message.mid)
        ack(message.mid)
        return
      }
      waiting.push(message)
      events.emit('message', message)
      work()
    } catch (error) {
      fail(message, error)
    }
  }

  function work(): void {
    if (atWork || stopped || !handler) return
    const message = waiting.shift()
    if (!message) return
    const next = handler
    // noted before it begins: a handler may ask to close
    const done = Promise.resolve().then(() => handle(message, next))
    atWork = { mid: message.mid, done }
    void done.then(() => {
      atWork = null
      work()
    })
  }

  async function handle(message: Message, handler: MessageHandler): Promise<void> {
    try {
      await handler(message)
      await memory.add(message.mid)
    } catch (error) {
      fail(message, error)
      return
    }
    here.delete(message.mid)
    ack(message.mid)
    events.emit('acked', message)
  }

  /** Forgotten, so that it is handled when the hub sends it again. */
  function fail(message: Message, error: unknown): void {
    here.delete(message.mid)
    if (events.emit('failed', { message, error })) return
    // oxlint-disable-next-line no-console -- nobody listens, and it must not be lost
    console.error(`carillon: message ${message.mid} was not handled, the hub will send it again:`, error)
  }

  function forget(mid: string): void {
    if (mid === atWork?.mid) return
    here.delete(mid)
    const place = waiting.findIndex((message) => message.mid === mid)
    if (place >= 0) waiting.splice(place, 1)
  }

  return {
    take(message) {
      if (stopped || here.has(message.mid)) return
      here.set(message.mid, message)
      arriving = arriving.then(() => arrive(message))
    },
    drop: forget,
    reset() {
      for (const mid of here.keys()) forget(mid)
    },
    onMessage(next) {
      handler = next
      work()
      return () => {
        if (handler === next) handler = null
      }
    },
    async stop() {
      stopped = true
      await atWork?.done
    },
  }
}
