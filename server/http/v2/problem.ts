import type { Middleware } from 'koa'
import { type HttpOptions, refusalFor } from '../door.ts'

/** Errors of `/api/v2` as problem JSON (RFC 9457): `{type, title, status, detail}`. */
export function problems(options: Pick<HttpOptions, 'hub' | 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const { code, status, message, retryAfterS } = refusalFor(options, error, 'a request could not be handled')
      ctx.status = status
      if (status === 401) ctx.set('www-authenticate', 'Bearer')
      if (status === 503 || status === 429) ctx.set('retry-after', String(retryAfterS))
      ctx.set('content-type', 'application/problem+json; charset=utf-8')
      ctx.body = JSON.stringify({ type: `urn:carillon:${code}`, title: code, status, detail: message })
    }
  }
}
