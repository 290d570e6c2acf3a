import { openPusher } from './pusher.ts'
import type { Tally } from './tally.ts'

/** longer than any server waits for acks */
const PATIENCE_MS = 10_000

export interface Pushing {
  /** From now on latencies, in ms, are collected in this new list. */
  latencies(): readonly number[]
  /** Pushes no more; resolves when every push was answered. */
  stop(): Promise<void>
}

/** Pushes without pause: each connection as soon as its push before was answered. */
export async function startPushing(pushers: number, port: number, tally: Tally): Promise<Pushing> {
  let latencies: number[] = []
  let open = 0
  let stopped: (() => void) | null = null

  async function start(): Promise<void> {
    let push = 0
    let startedAt = 0
    const pusher = await openPusher(port, (status, body) => {
      latencies.push(performance.now() - startedAt)
      open -= 1
      tally.replied(push, status, body)
      if (!stopped) next()
      else if (open === 0) stopped()
    })
    function next(): void {
      const issued = tally.issue()
      push = issued.push
      startedAt = performance.now()
      open += 1
      pusher.write(issued.request)
    }
    next()
  }

  await Promise.all(Array.from({ length: pushers }, start))
  return {
    latencies: () => (latencies = []),
    async stop() {
      const late = setTimeout(() => {
        throw new Error(`${open} pushes were never answered`)
      }, PATIENCE_MS)
      await new Promise<void>((resolve) => (stopped = resolve))
      clearTimeout(late)
    },
  }
}
