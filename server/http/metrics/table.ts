/**
 * Every metric, in the order of config/monitoring.md. To add one, add a row to its list: a name, its labels, what it
 * means in two languages, and where it is read; what counts it stands in hub/meters.ts, or in the figures of the
 * store. Both pages have a row for each, and a test that says which is missing.
 */
import { endpoints } from './endpoints.ts'
import type { Metric } from './metric.ts'
import { processMetrics } from './process.ts'
import { deliveries, pushes } from './pushes.ts'
import { sessions } from './sessions.ts'
import { store } from './store.ts'

export const metrics: readonly Metric[] = [
  ...pushes,
  ...deliveries,
  ...sessions,
  ...endpoints,
  ...store,
  ...processMetrics,
]
