/**
 * Whether the hub is well, for those who ask again and again: `/health` as PushServer and mpush document it,
 * `/live` and `/ready` for what starts, stops and routes programs. No token: they tell nothing of anybody.
 */
import type { Context } from 'koa'
import { STORE_FAULTS } from '../store/store.ts'
import { answerJson, type HttpOptions } from './door.ts'

/** Why nothing new is accepted. */
export const FAULTS = ['stopping', ...STORE_FAULTS] as const
export type Fault = (typeof FAULTS)[number]

/** Both documented shapes in one object; 503 with the fault named when nothing can be accepted. */
export function health({ hub, store, clock, version }: HttpOptions): (ctx: Context) => void {
  return (ctx) => {
    const { writable, durable, reason } = store.health()
    ctx.status = writable ? 200 : 503
    ctx.body = {
      status: writable ? 'ok' : 'failed',
      timestamp: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      version,
      code: ctx.status,
      message: writable ? '服务运行正常' : '服务异常',
      data: { status: writable ? 'healthy' : 'unhealthy' },
      durable,
      reason,
      sessions: hub.sessions.count,
    }
  }
}

/** `GET /live`: 200 as long as the process answers. Whatever ails it, a restart would not help. */
export function live(ctx: Context): void {
  answerJson(ctx, 200, { status: 'ok' })
}

/** `GET /ready`: 200 when a push would be accepted, else 503 with the faults by name. */
export function ready(options: Pick<HttpOptions, 'hub' | 'store'>): (ctx: Context) => void {
  return (ctx) => {
    const faults = faultsOf(options)
    const isReady = faults.length === 0
    answerJson(ctx, isReady ? 200 : 503, { status: isReady ? 'ok' : 'failed', faults })
  }
}

export function faultsOf({ hub, store }: Pick<HttpOptions, 'hub' | 'store'>): readonly Fault[] {
  const { fault } = store.health()
  return [...(hub.isStopping ? (['stopping'] as const) : []), ...(fault === null ? [] : [fault])]
}
