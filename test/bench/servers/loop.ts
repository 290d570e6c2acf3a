/** What `recorder.js` saw inside a server. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'

const POLL_MS = 2
const PATIENCE_MS = 10_000

export const loopSchema = z.object({
  /** ms that the event loop came later than due, at worst and for 99 of 100 looks */
  max: z.number(),
  p99: z.number(),
  /** the most CPU, in ms, that all threads used between two looks: about what `max` were on an idle machine */
  maxCpu: z.number(),
  /** the long ones; `at` in ms since epoch, `cpuMs` is CPU that the process used meanwhile */
  stalls: z.array(z.object({ at: z.number(), ms: z.number(), cpuMs: z.number() })),
})
export type Loop = z.infer<typeof loopSchema>

/** What was seen since the last call, or since the start. */
export async function takeLoop(pid: number, file: string): Promise<Loop> {
  process.kill(pid, 'SIGUSR2')
  for (let waited = 0; !existsSync(file); waited += POLL_MS) {
    if (waited > PATIENCE_MS) throw new Error('the server tells nothing of its event loop')
    await sleep(POLL_MS)
  }
  const loop = loopSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  rmSync(file)
  return loop
}
