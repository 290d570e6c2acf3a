/** The HTTP door: Koa, the push route first. */
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { Refusal } from '../protocol/errors.ts'
import { answerRefusal, type HttpOptions } from './door.ts'
import { health } from './health.ts'
import { packetsByPost } from './packets.ts'
import { pushByUrl } from './push.ts'

const METHODS = new Set(['GET', 'POST', 'OPTIONS'])

export function createApp(options: HttpOptions): Koa {
  const app = new Koa()
  const router = new Router()
  router.get('/health', health(options))

  app.use(guard(options))
  app.use(pushByUrl(options))
  app.use(router.routes())
  app.use(packetsByPost(options))
  app.use(() => {
    throw new Refusal('not-found')
  })
  return app
}

/** Cross-origin headers, preflight ahead of any token check, methods, and errors in the door's envelope. */
function guard({ settings, log }: HttpOptions): Middleware {
  return async (ctx, next) => {
    try {
      if (settings.cors) allowOrigin(ctx)
      if (ctx.method === 'OPTIONS') {
        preflight(ctx, settings.cors)
        return
      }
      if (!METHODS.has(ctx.method)) throw new Refusal('bad-method')
      await next()
    } catch (error) {
      if (!(error instanceof Refusal)) log.error({ err: error }, 'a request could not be handled')
      answerRefusal(ctx, error instanceof Refusal ? error : new Refusal('internal'))
    }
  }
}

function allowOrigin(ctx: Context): void {
  const origin = ctx.req.headers.origin
  if (origin === undefined) return
  ctx.set('access-control-allow-origin', origin)
  ctx.set('access-control-expose-headers', 'X-Message-Id, Retry-After')
  ctx.vary('origin')
}

function preflight(ctx: Context, allowed: boolean): void {
  if (!allowed) throw new Refusal('cors-off')
  ctx.set('access-control-allow-headers', ctx.get('access-control-request-headers'))
  ctx.set('access-control-allow-methods', ctx.get('access-control-request-method'))
  ctx.status = 200
  ctx.body = ''
}
