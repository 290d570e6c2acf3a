import { setImmediate as nextTurn } from 'node:timers/promises'

/** connections that are on their way at once */
const AT_ONCE = 64

/** Calls `work` for 0 … count - 1, some at a time, and gives what it resolved to in that order. */
export async function forEach<T>(count: number, work: (n: number) => Promise<T>, atOnce = AT_ONCE): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const n = next++
      results[n] = await work(n)
    }
  }
  const workers: Promise<void>[] = []
  while (workers.length < atOnce) {
    workers.push(worker())
    // clients on machines of their own go on as soon as they are connected, and do not wait for all others
    if (workers.length % AT_ONCE === 0) await nextTurn()
  }
  await Promise.all(workers)
  return results
}
