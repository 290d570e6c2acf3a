import type { Context } from 'koa'
import type { HttpOptions } from './door.ts'

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
