/** Calls `send` so many times a second for so long, whatever becomes of the calls; resolves when all have. */
export async function atRate(perSecond: number, seconds: number, send: (n: number) => Promise<void>): Promise<void> {
  const calls: Promise<void>[] = []
  const startedAt = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passed = (performance.now() - startedAt) / 1_000
      const due = Math.floor(Math.min(passed, seconds) * perSecond)
      while (calls.length < due) calls.push(send(calls.length))
      if (passed < seconds) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  await Promise.all(calls)
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
