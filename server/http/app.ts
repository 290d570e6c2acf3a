/** The HTTP door: Koa, the push route first. */
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { Refusal } from '../protocol/errors.ts'
import { showConfirm, takeConfirm } from './confirm.ts'
import { answerEmpty, answerRefusal, type HttpOptions, refusalFor } from './door.ts'
import { health, live, ready } from './health.ts'
import { showMetrics } from './metrics.ts'
import { packetsByPost } from './packets.ts'
import { pushByUrl } from './push.ts'
import { addSdk } from './sdk.ts'
import { refuse } from './v1/answer.ts'
import { addPushServer } from './v1/api.ts'
import { isApiUrl } from './v1/paths.ts'
import { addDeadLetters } from './v2/dead-letters.ts'

const METHODS = new Set(['GET', 'POST', 'OPTIONS'])
/** what tools look at from outside: some ask for the head alone */
const PROBES = new Set(['/health', '/live', '/ready'])
const API_METHODS = new Set([...METHODS, 'PUT', 'DELETE'])

export function createApp(options: HttpOptions): Koa {
  const app = new Koa()
  app.on('error', (error) => options.log.debug({ err: error }, 'an answer could not be sent'))
  const router = new Router()
  router.get('/health', health(options))
  router.get('/live', live)
  router.get('/ready', ready(options))
  router.get('/metrics', showMetrics(options))
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
function guard(options: HttpOptions): Middleware {
  const { settings } = options
  return async (ctx, next) => {
    ctx.req.url = originForm(ctx.req.url)
    const isApi = isApiUrl(ctx.req.url)
    try {
      if (settings.cors) allowOrigin(ctx)
      if (ctx.method === 'OPTIONS') {
        preflight(ctx, settings.cors)
        return
      }
      const isProbe = ctx.method === 'HEAD' && PROBES.has(ctx.path)
      if (!isProbe && !(isApi ? API_METHODS : METHODS).has(ctx.method)) throw new Refusal('bad-method')
      if (ctx.req.url.length > settings.maxUrl) throw new Refusal('url-too-long')
      await next()
    } catch (error) {
      const answer = isApi ? refuse : answerRefusal
      answer(ctx, refusalFor(options, error, 'a request could not be handled'))
    }
  }
}

/** Who takes the hub for a proxy sends whole URLs, which servers must understand (RFC 9112 section 3.2.2). */
function originForm(url = '/'): string {
  if (url.startsWith('/')) return url
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '')
  return path.startsWith('/') ? path : `/${path}`
}

function allowOrigin(ctx: Context): void {
  const origin = ctx.req.headers.origin
  if (origin === undefined) return
  ctx.set('vary', 'origin')
  ctx.set('access-control-allow-origin', origin)
  ctx.set('access-control-expose-headers', 'X-Message-Id, X-Error, Retry-After')
}

function preflight(ctx: Context, allowed: boolean): void {
  if (!allowed) throw new Refusal('cors-off')
  ctx.set('access-control-allow-headers', ctx.get('access-control-request-headers'))
  ctx.set('access-control-allow-methods', ctx.get('access-control-request-method'))
  answerEmpty(ctx)
}
