/** The text of Prometheus, made by prom-client. Loaded when somebody asks for it: it takes 10 MB. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Tally } from '../../ground/tally.ts'
import type { Metric, Reading, Sample } from './metric.ts'

declare module 'prom-client' {
  interface Histogram<T extends string = string> {
    /** what a registry asks for */
    getForPromString(): ReturnType<Histogram<T>['get']>
  }
}

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Every metric as it is now. */
export async function render(metrics: readonly Metric[], now: Reading): Promise<string> {
  const registry = new Registry()
  for (const metric of metrics) register(registry, metric, now)
  return registry.metrics()
}

function register(registry: Registry, metric: Metric, now: Reading): void {
  const { name, labels: labelNames, help } = metric
  const [text] = help
  const config = { name, help: text, labelNames, registers: [registry] }
  switch (metric.type) {
    case 'counter': {
      const counter = new Counter(config)
      for (const [values, value] of metric.read(now)) counter.inc(labelsOf(metric, values), value)
      break
    }
    case 'gauge': {
      const gauge = new Gauge(config)
      for (const [values, value] of metric.read(now)) gauge.set(labelsOf(metric, values), value)
      break
    }
    case 'histogram':
      registry.registerMetric(new Counted(metric, metric.read(now)))
      break
  }
}

function labelsOf({ labels }: Metric, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label, at) => [label, values[at] ?? '']))
}

/** A histogram whose values were counted elsewhere. */
class Counted extends Histogram {
  readonly #metric: Metric
  readonly #samples: readonly Sample<Tally>[]

  constructor(metric: Metric, samples: readonly Sample<Tally>[]) {
    super({ name: metric.name, help: metric.help[0], registers: [] })
    this.#metric = metric
    this.#samples = samples
  }

  override async getForPromString() {
    const values = this.#samples.flatMap(([labels, tally]) => this.#lines(labelsOf(this.#metric, labels), tally))
    return { ...(await super.getForPromString()), values }
  }

  #lines(labels: Record<string, string>, { bounds, counts, sum }: Tally) {
    const { name } = this.#metric
    let total = 0
    const buckets = counts.map((count, at) => {
      total += count
      return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[at] ?? '+Inf') }, value: total }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: total },
    ]
  }
}
