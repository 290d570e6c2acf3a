/** The HTTP door: Koa, the push route first. */
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { Refusal } from '../protocol/errors.ts'
import { refusalOf } from '../store/refusal.ts'
import { showConfirm, takeConfirm } from './confirm.ts'
import { answerEmpty, answerRefusal, type HttpOptions } from './door.ts'
import { health } from './health.ts'
import { packetsByPost } from './packets.ts'
import { pushByUrl } from './push.ts'
import { addSdk } from './sdk.ts'
import { refuse } from './v1/answer.ts'
import { addPushServer } from './v1/api.ts'
import { isApiUrl } from './v1/paths.ts'
import { addDeadLetters } from './v2/dead-letters.ts'

const METHODS = new Set(['GET', 'POST', 'OPTIONS'])
const API_METHODS = new Set([...METHODS, 'PUT', 'DELETE'])

export function createApp(options: HttpOptions): Koa {
  const app = new Koa()
  app.on('error', (error) => options.log.debug({ err: error }, 'an answer could not be sent'))
  const router = new Router()
  router.get('/health', health(options))
  router.get('/confirm/:token', showConfirm(options))
  router.post('/confirm/:token', takeConfirm(options))

  addSdk(router, options)
  addDeadLetters(router, options)

  app.use(guard(options))
  app.use(pushByUrl(options))
  app.use(router.routes())
  addPushServer(app, options)
  app.use(packetsByPost(options))
  app.use(() => {
    throw new Refusal('not-found')
  })
  return app
}

/** Cross-origin headers, preflight ahead of any token check, methods, limits, errors in the door's envelope. */
function guard({ settings, log }: HttpOptions): Middleware {
  return async (ctx, next) => {
    const isApi = isApiUrl(ctx.req.url)
    try {
      if (settings.cors) allowOrigin(ctx)
      if (ctx.method === 'OPTIONS') {
        preflight(ctx, settings.cors)
        return
      }
      if (!(isApi ? API_METHODS : METHODS).has(ctx.method)) throw new Refusal('bad-method')
      if ((ctx.req.url?.length ?? 0) > settings.maxUrl) throw new Refusal('url-too-long')
      await next()
    } catch (error) {
      const refusal = refusalOf(error)
      if (!refusal) log.error({ err: error }, 'a request could not be handled')
      const answer = isApi ? refuse : answerRefusal
      answer(ctx, refusal ?? new Refusal('internal'))
    }
  }
}

function allowOrigin(ctx: Context): void {
  const origin = ctx.req.headers.origin
  if (origin === undefined) return
  ctx.set('vary', 'origin')
  ctx.set('access-control-allow-origin', origin)
  ctx.set('access-control-expose-headers', 'X-Message-Id, Retry-After')
}

function preflight(ctx: Context, allowed: boolean): void {
  if (!allowed) throw new Refusal('cors-off')
  ctx.set('access-control-allow-headers', ctx.get('access-control-request-headers'))
  ctx.set('access-control-allow-methods', ctx.get('access-control-request-method'))
  answerEmpty(ctx)
}
