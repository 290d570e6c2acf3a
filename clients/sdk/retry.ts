import { backoffMs } from './backoff.ts'
import { CarillonError } from './error.ts'
import type { SdkClock } from './types.ts'

export interface Patience {
  /** for how long to try again, in ms */
  readonly forMs: number
  readonly clock: SdkClock
  readonly random: () => number
  /** Waits so many ms, or until something says that it is worth a try. */
  pause(ms: number): Promise<void>
}

/** Tries until it works, fails for a reason that stays, or the time is up. @throws the error of the last try */
export async function withPatience<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const { forMs, clock, random, pause } = patience
  const until = clock.elapsed() + forMs
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof CarillonError) || !error.mayPass) throw error
      const left = until - clock.elapsed()
      const asked = (error.retryAfter ?? 0) * 1_000
      if (left <= 0 || asked > left) throw error
      await pause(Math.min(left, Math.max(asked, backoffMs(failures, random()))))
    }
  }
}

/** A key that nobody else has. By `getRandomValues`, for `randomUUID` is missing on pages without HTTPS. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
