/** The contract in memory alone: nothing survives a restart. For tests and for hubs that need to keep nothing. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../ground/clock.ts'
import { Draft } from './state/draft.ts'
import { figuresOf } from './state/figures.ts'
import { isOver } from './state/prune.ts'
import { createReads } from './state/reads.ts'
import { State } from './state/state.ts'
import type { Store } from './store.ts'

/** @param clock gives mids and expiry their time */
export function createMemoryStore({ clock }: { readonly clock: Clock }): Store {
  const state = new State()
  const blobs = new Map<string, Uint8Array>()
  const reads = createReads(state, {
    segments: () => [{ n: 0, first: '', last: state.lastMid }],
    entries: async () => [...state.entries.values()],
    holding: async (_, recipient) =>
      [...state.entries.values()].filter((entry) => entry.placeOf(recipient) >= 0).length,
  })

  return {
    ...reads,
    open: async () => ({ epoch: randomUUID(), torn: [] }),
    close: async () => {},
    health: () => ({ writable: true, fault: null, durable: false, reason: 'kept in memory only', queued: 0 }),
    figures: async () => ({ ...figuresOf(state), disk: null }),

    async write(ops) {
      const { changes, answer } = new Draft(state, clock.now()).check(ops)
      for (const change of changes) state.apply(change)
      return answer
    },

    onChange(listener) {
      state.listeners.add(listener)
      return () => void state.listeners.delete(listener)
    },

    async putBlob(data, maxBytes) {
      const parts: Uint8Array[] = []
      let size = 0
      for await (const part of data) {
        size += part.length
        if (size > maxBytes) throw new RangeError(`the blob is larger than ${maxBytes} bytes`)
        parts.push(part)
      }
      const id = randomUUID()
      blobs.set(id, Buffer.concat(parts))
      return { id, size }
    },

    async *readBlob(id) {
      const blob = blobs.get(id)
      if (blob === undefined) throw new Error(`there is no blob ${id}`)
      yield blob
    },

    async prune(keep) {
      state.forgetKeys(clock.now())
      const entries = [...state.entries.values()]
      const total = { count: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) }
      const released: string[] = []
      let dropped = 0
      for (const entry of entries) {
        if (!isOver(keep, { at: entry.at, count: 1, bytes: entry.size }, total, clock.now())) break
        if (entry.live > 0) continue
        state.drop(entry.mid)
        released.push(...entry.blobs)
        total.count -= 1
        total.bytes -= entry.size
        dropped += 1
      }
      const used = new Set([...state.entries.values()].flatMap((entry) => entry.blobs))
      for (const id of released) if (!used.has(id)) blobs.delete(id)
      return { dropped, more: false }
    },
  }
}
