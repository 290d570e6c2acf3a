import type { Middleware } from 'koa'
import { Refusal } from '../../protocol/errors.ts'
import { refusalOf } from '../../store/refusal.ts'
import type { HttpOptions } from '../door.ts'

/** Errors of `/api/v2` as problem JSON (RFC 9457): `{type, title, status, detail}`. */
export function problems({ log }: Pick<HttpOptions, 'log'>): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const known = refusalOf(error)
      if (!known) log.error({ err: error }, 'a request could not be handled')
      const { code, status, message, retryAfterS } = known ?? new Refusal('internal')
      ctx.status = status
      if (status === 401) ctx.set('www-authenticate', 'Bearer')
      if (status === 503 || status === 429) ctx.set('retry-after', String(retryAfterS))
      ctx.set('content-type', 'application/problem+json; charset=utf-8')
      ctx.body = JSON.stringify({ type: `urn:carillon:${code}`, title: code, status, detail: message })
    }
  }
}
