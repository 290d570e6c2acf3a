import { setTimeout as pause } from 'node:timers/promises'
import type { Recorder } from './history.ts'
import type { Lives } from './lives.ts'

/** What all actors of a run share. */
export interface Stage {
  readonly seed: number
  readonly token: string
  readonly history: Recorder
  readonly hub: Lives
  /** the clean phase has begun: nobody pushes anything new, and every receiver acks at once */
  calm: boolean
  /** connections of all receivers together */
  sessions: number
}

/** Waits until `holds` says so; false if it does not within `ms`. */
export async function until(holds: () => boolean, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms
  while (!holds()) {
    if (performance.now() > deadline) return false
    await pause(20)
  }
  return true
}
