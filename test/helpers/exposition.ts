/** The text that Prometheus reads, taken apart. */
import * as z from 'zod'

export interface Exposition {
  /** counter, gauge or histogram, by the name of the metric */
  readonly types: ReadonlyMap<string, string>
  /** values by name and labels, as they are written: `carillon_fault{fault="disk-low"}` */
  readonly samples: ReadonlyMap<string, number>
}

const HEAD = /^# TYPE (\S+) (\S+)$/
const SAMPLE = /^([a-z_:][\w:]*(?:\{.*\})?) (\S+)$/

/** @throws for a line that is neither a comment nor a sample, and for a sample that comes twice */
export function parseExposition(text: string): Exposition {
  const types = new Map<string, string>()
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, typed, type] = HEAD.exec(line) ?? []
    if (typed !== undefined && type !== undefined) types.set(typed, type)
    if (line === '' || line.startsWith('#')) continue
    const [, key = '', value] = SAMPLE.exec(line) ?? []
    if (key === '' || samples.has(key)) throw new Error(`not a sample of its own: ${line}`)
    samples.set(key, z.coerce.number().parse(value === '+Inf' ? Infinity : value))
  }
  return { types, samples }
}

/** `carillon_fault` of `carillon_fault{fault="disk-low"}`. */
export function nameOf(key: string): string {
  return key.split('{')[0] ?? ''
}

/** What has another value now, and by how much it is more. */
export function difference(before: Exposition, after: Exposition): Readonly<Record<string, number>> {
  const changed = [...after.samples].map(([key, value]) => [key, value - (before.samples.get(key) ?? 0)] as const)
  return Object.fromEntries(changed.filter(([, more]) => more !== 0))
}

/** What a hub says at `/metrics`. */
export async function scrape(url: string, token: string): Promise<Exposition> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${text}`)
  return parseExposition(text)
}
