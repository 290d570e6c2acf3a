/**
 * A store over a network, as far as the contract lets it be bad: answers come late and out of order, writes
 * overtake each other, wake-ups get lost or come late, and leases end before their time.
 */
import type { Clock } from '../../server/ground/clock.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { LazyOp, Op, Store, Written } from '../../server/store/store.ts'
import { type Random, random } from '../crash/random.ts'

const MAX_TURNS = 4
const LOST_WAKE_UPS = 0.4
const SHORT_LEASES = 0.3

/** Wraps `inner`, which is opened and closed with it. The same seed is bad in the same way. */
export function slowStore(inner: Store, { seed = 1 }: { readonly seed?: number } = {}): Store {
  const chance = random(seed, 'slow store')
  const pause = () => turns(chance.between(0, MAX_TURNS + 1))

  /** Looks late and answers later still. */
  async function late<T>(read: () => Promise<T>): Promise<T> {
    await pause()
    const found = await read()
    await pause()
    return found
  }

  function write(ops: readonly Op[], how: 'sync'): Promise<Written>
  function write(ops: readonly LazyOp[], how: 'lazy'): Promise<Written>
  async function write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
    if (how === 'sync') {
      // not readable before its answer: the answer comes with it
      await pause()
      return inner.write(ops, how)
    }
    // readable at once: only the answer may be late
    const written = await inner.write(ops, how)
    await pause()
    return written
  }

  return {
    open: () => late(() => inner.open()),
    close: () => late(() => inner.close()),
    health: () => inner.health(),
    figures: () => late(() => inner.figures()),

    write,

    message: (mid) => late(() => inner.message(mid)),
    delivery: (mid, recipient) => late(() => inner.delivery(mid, recipient)),
    deliveries: (mid, page) => late(() => inner.deliveries(mid, page)),
    attempts: (mid, recipient) => late(() => inner.attempts(mid, recipient)),
    inbox: (recipient, page) => late(() => inner.inbox(recipient, page)),
    list: (filter, page) => late(() => inner.list(filter, page)),

    claim: (now, limit, leaseMs) =>
      late(() => inner.claim(now, limit, chance.chance(SHORT_LEASES) ? Math.ceil(leaseMs * chance.next()) : leaseMs)),
    nextDue: () => late(() => inner.nextDue()),

    get: (kind, id) => late(() => inner.get(kind, id)),
    scan: (kind, page) => late(() => inner.scan(kind, page)),
    count: (meter) => late(() => inner.count(meter)),

    onChange: (listener) => inner.onChange(unreliable(chance, listener)),

    putBlob: (data, maxBytes) => late(() => inner.putBlob(data, maxBytes)),
    async *readBlob(id) {
      await pause()
      for await (const part of inner.readBlob(id)) {
        yield part
        await pause()
      }
    },
    prune: (keep, budgetMs) => late(() => inner.prune(keep, budgetMs)),
  }
}

/** A slow store over memory. */
export function createSlowStore({ clock, seed = 1 }: { readonly clock: Clock; readonly seed?: number }): Store {
  return slowStore(createMemoryStore({ clock }), { seed })
}

/** Calls `listener` late or never. */
function unreliable<T>(chance: Random, listener: (what: T) => void): (what: T) => void {
  return (what) => {
    if (chance.chance(LOST_WAKE_UPS)) return
    void turns(chance.between(0, MAX_TURNS + 1)).then(() => listener(what))
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
