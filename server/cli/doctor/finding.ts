/** What the doctor finds: `fault` will not work, `warning` works and should not stay so. */
export interface Finding {
  readonly about: string
  readonly level: 'ok' | 'warning' | 'fault'
  readonly text: string
}

export function ok(about: string, text: string): Finding {
  return { about, level: 'ok', text }
}

export function warning(about: string, text: string): Finding {
  return { about, level: 'warning', text }
}

export function fault(about: string, text: string): Finding {
  return { about, level: 'fault', text }
}

/** Of an error only what an operator can use: its code, or its words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
