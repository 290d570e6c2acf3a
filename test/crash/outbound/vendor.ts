/** All vendors on one port. They note what they read and what they say to it, each at its moment. */
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type Received, type Receiver, startReceiver } from '../../helpers/receiver.ts'
import { channels, endpointOf, MONITOR } from './cast.ts'
import { answerOf, type Fate, fateOf } from './fate.ts'
import type { Book, Word } from './history.ts'
import { idIn, isWhole } from './message.ts'

/** What the vendor does at this very moment. */
export type Moment = 'arrive' | 'answer'

export interface Vendor {
  readonly url: string
  /** Resolves at the next one, in the same turn of the event loop. */
  next(moment: Moment): Promise<void>
  /** ms since it read a request */
  quietFor(): number
  close(): Promise<void>
}

/** @param life which life of the hub it is now */
export async function startVendor(seed: number, book: Book, life: () => number): Promise<Vendor> {
  const moments = new EventEmitter().setMaxListeners(0)
  const timers = new Set<NodeJS.Timeout>()
  const seen = new Map<string, number>()
  let calls = 0
  let last = performance.now()

  function take(response: ServerResponse, request: Received): void {
    last = performance.now()
    const endpoint = endpointOf(request.url)
    const channel = endpoint === MONITOR ? MONITOR : channels.get(endpoint)
    const push = idIn(`${decodeURIComponent(request.url)} ${request.body}`)
    if (channel === undefined || push === null) {
      book.note({ type: 'nonsense', what: `a vendor got ${request.method} ${request.url} ${request.body}` })
      return void response.writeHead(400).end()
    }
    if (endpoint !== MONITOR && !isWhole(push, request)) {
      book.note({ type: 'nonsense', what: `${endpoint} got ${push} damaged: ${request.url} ${request.body}` })
    }
    const before = seen.get(`${push} ${endpoint}`) ?? 0
    seen.set(`${push} ${endpoint}`, before + 1)
    const fate = fateOf(seed, { channel, endpoint, push, before })
    const call = (calls += 1)
    book.note({ type: 'arrive', call, endpoint, push, mid: midIn(request), took: fate.took, life: life() })
    moments.emit('arrive')
    follow(call, channel, fate, response)
  }

  function follow(call: number, channel: Parameters<typeof answerOf>[0], fate: Fate, response: ServerResponse): void {
    let isSaid = false
    const say = (said: Word) => {
      if (isSaid) return
      isSaid = true
      book.note({ type: 'answer', call, said, at: performance.now() })
    }
    response.once('close', () => say('nothing'))
    if (fate.does === 'hang') return
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (isSaid) return
      if (fate.does === 'reset') return void response.socket?.resetAndDestroy()
      if (fate.does === 'hang') return
      const { status, headers, body } = answerOf(channel, fate.does, fate.variant)
      say(fate.does)
      response.writeHead(status, headers).end(body)
      moments.emit('answer')
    }, fate.afterMs)
    timers.add(timer)
  }

  const receiver: Receiver = await startReceiver(take)
  return {
    url: receiver.url,
    next: (moment) => new Promise((resolve) => void moments.once(moment, resolve)),
    quietFor: () => performance.now() - last,
    async close() {
      for (const timer of timers) clearTimeout(timer)
      await receiver.close()
    },
  }
}

/** Webhooks are told the mid: in the query, or in the packet. */
function midIn({ url, body }: Received): string | null {
  return /[?&]mid=(\d+)/.exec(url)?.[1] ?? /"mid":"(\d+)"/.exec(body)?.[1] ?? null
}
