import type { SdkClock } from './types.ts'

export const systemClock: SdkClock = {
  elapsed: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
}
