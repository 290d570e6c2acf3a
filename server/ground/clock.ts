/** The one way that time enters the hub, so that tests can turn it. */
export interface Clock {
  /** ms since epoch; may jump, so nothing but expiry and display depends on it */
  now(): number
  /** ms since some moment; never jumps, so only differences mean something */
  elapsed(): number
  /** Runs `fn` once after `ms`; returns how to cancel. Does not follow jumps of the wall clock. */
  after(ms: number, fn: () => void): () => void
}

/** Beyond this Node's timers fire at once. */
const LONGEST_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, fn) {
    if (ms > LONGEST_MS) return afterLong(ms, fn)
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}

function afterLong(ms: number, fn: () => void): () => void {
  let cancel = systemClock.after(LONGEST_MS, () => {
    cancel = systemClock.after(ms - LONGEST_MS, fn)
  })
  return () => cancel()
}
