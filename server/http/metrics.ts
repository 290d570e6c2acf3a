/** `GET /metrics`: the hub in the text of Prometheus. For whoever holds the hub's or the admin's token. */
import type { Context } from 'koa'
import type { HttpOptions } from './door.ts'
import { faultsOf } from './health.ts'
import { operator } from './identify.ts'
import type { Reading } from './metrics/metric.ts'
import { readProcess } from './metrics/process.ts'
import { metrics } from './metrics/table.ts'

/** @throws Refusal need-token, not-allowed */
export function showMetrics(options: HttpOptions): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    operator(options, ctx.req)
    const { CONTENT_TYPE, render } = await import('./metrics/render.ts')
    ctx.body = await render(metrics, await read(options))
    ctx.set('content-type', CONTENT_TYPE)
    ctx.set('cache-control', 'no-store')
  }
}

async function read({ hub, directory, store, version }: HttpOptions): Promise<Reading> {
  return {
    hub,
    directory,
    health: store.health(),
    faults: faultsOf({ hub, store }),
    figures: await store.figures(),
    waited: await hub.queue.waited(),
    process: await readProcess(),
    version,
  }
}
