/** A hub on a clock that is turned by hand, and what an event did to its metrics. */
import { expect } from 'vitest'
import { testClock, type TestClock } from './clock.ts'
import { difference, type Exposition, scrape } from './exposition.ts'
import { type Answer, type HubOptions, startHub, type TestHub, TOKEN } from './hub.ts'

/** what moves by time and by scrapes alone, and what depends on how long something took */
const UNSTEADY = /^(process_|nodejs_|carillon_event_loop_)|_bucket\{|_sum\b/

export interface MetricsHub extends TestHub {
  readonly clock: TestClock
  scrape(): Promise<Exposition>
  /** By URL, with the hub's token. */
  push(name: string, headers?: Record<string, string>): Promise<Answer>
  /** By the API of PushServer, which does not wait for what comes of it. */
  task(recipient: string): Promise<Answer>
  /** Does it, and looks until all that follows from it has happened: exactly these metrics moved, so far each. */
  moves(act: () => unknown, expected: Record<string, unknown>): Promise<void>
}

export async function startMetricsHub(options: HubOptions): Promise<MetricsHub> {
  const clock = testClock()
  const hub = await startHub({ ...options, clock })
  const look = () => scrape(hub.url, TOKEN)
  return {
    ...hub,
    clock,
    scrape: look,
    push: (name, headers = {}) => hub.get(`/${name}.send?text=hello`, { authorization: TOKEN, ...headers }),
    task: (recipient) =>
      hub.post(
        { recipient_alias: recipient, type: 'info', style: 'text', content: { title: 'a', msg: 'b' } },
        { authorization: TOKEN },
        '/api/v1/push',
      ),
    async moves(act, expected) {
      const before = await look()
      await act()
      const moved = async () => {
        await clock.advance(0)
        return movesOf(before, await look())
      }
      await expect.poll(moved, { interval: 5, timeout: 5_000 }).toEqual(expected)
    },
  }
}

function movesOf(before: Exposition, after: Exposition): Record<string, number> {
  return Object.fromEntries(Object.entries(difference(before, after)).filter(([key]) => !UNSTEADY.test(key)))
}

const some: unknown = expect.any(Number)
export const accepted = { 'carillon_pushes_total{result="accepted"}': 1 }

/** One delivery got to a state. */
export function reached(state: string, channel = 'none', count = 1): Record<string, number> {
  return { [`carillon_deliveries_total{channel="${channel}",state="${state}"}`]: count }
}

/** So many more wait for sessions. */
export function waiting(count: number): Record<string, unknown> {
  return { carillon_inbox_deliveries: count, carillon_inbox_bytes: some }
}
