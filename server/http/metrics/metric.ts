/** What a metric is, before Prometheus words. */
import type { Directory } from '../../directory/directory.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Figures, Health } from '../../store/store.ts'
import { Tally } from '../../ground/tally.ts'
import type { Fault } from '../health.ts'
import type { ProcessReading } from './process.ts'

/** What is read once for all of them. */
export interface Reading {
  readonly hub: Hub
  readonly directory: Directory
  readonly health: Health
  readonly faults: readonly Fault[]
  readonly figures: Figures
  /** ms that what is due has waited for its turn */
  readonly waited: number
  readonly process: ProcessReading
  readonly version: string
}

/** Values of the labels, in their order, and what was counted for them. */
export type Sample<T> = readonly [values: readonly string[], value: T]

/** English and Chinese. */
type Help = readonly [en: string, zh: string]

interface Described<T> {
  /** as https://prometheus.io/docs/practices/naming/ has it */
  readonly name: string
  readonly labels: readonly string[]
  readonly help: Help
  read(now: Reading): readonly Sample<T>[]
}

export type Metric =
  | (Described<number> & { readonly type: 'counter' | 'gauge' })
  | (Described<Tally> & { readonly type: 'histogram' })

type Read<T> = (now: Reading) => T | readonly Sample<T>[] | null

/** @param read one number; for labels, a sample each; null: there is none here */
export function counter(name: string, labels: readonly string[], help: Help, read: Read<number>): Metric {
  return { type: 'counter', name, labels, help, read: (now) => samplesOf(read(now)) }
}

export function gauge(name: string, labels: readonly string[], help: Help, read: Read<number>): Metric {
  return { type: 'gauge', name, labels, help, read: (now) => samplesOf(read(now)) }
}

export function histogram(name: string, labels: readonly string[], help: Help, read: Read<Tally>): Metric {
  return { type: 'histogram', name, labels, help, read: (now) => samplesOf(read(now)) }
}

function samplesOf<T extends number | Tally>(found: T | readonly Sample<T>[] | null): readonly Sample<T>[] {
  if (found === null) return []
  return typeof found === 'number' || found instanceof Tally ? [[[], found]] : found
}

/**
 * One sample for each counter: first those that are there before anything was counted, as the first step up of a
 * counter that just appears cannot be seen; then the others.
 */
export function listOf<Key extends string | number>(
  counts: ReadonlyMap<Key, number>,
  known: readonly Key[],
): readonly Sample<number>[] {
  const all = new Map(known.map((key) => [key, 0]))
  for (const [key, count] of counts) all.set(key, count)
  return [...all].map(([key, count]) => [[String(key)], count])
}

/** With one more label ahead. */
export function under<T>(value: string, samples: readonly Sample<T>[]): readonly Sample<T>[] {
  return samples.map(([values, counted]) => [[value, ...values], counted])
}
