/** The one way that time enters the hub, so that tests can turn it. */
export interface Clock {
  /** ms since epoch; may jump, so nothing but expiry and display depends on it */
  now(): number
  /** ms since some moment; never jumps, so only differences mean something */
  elapsed(): number
  /** Runs `fn` once after `ms`; returns how to cancel. Does not follow jumps of the wall clock. */
  after(ms: number, fn: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}
