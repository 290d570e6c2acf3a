/**
 * Who may use the API of PushServer and the calls of the SDK: everybody, unless the config has a token for them or
 * wants one for pushes.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller } from '../directory/access.ts'
import { Refusal } from '../protocol/errors.ts'
import type { HttpOptions } from './door.ts'
import { callerByHeader } from './identify.ts'
import { queryOf } from './push.ts'

/**
 * Reads the header `authorization`: the API's token, the hub's or the admin's, bare or as Bearer.
 * @throws Refusal need-token, too-many-attempts, token-in-url
 */
export type Gate = (request: IncomingMessage) => Caller

export function createGate({ tokens, attempts, api, settings }: HttpOptions): Gate {
  const own = api.token === null ? null : digest(api.token)
  const isClosed = own !== null || settings.verifyToken

  /** @throws Refusal need-token */
  function callerOf(token: string): Caller {
    const caller = tokens.callerOf(token)
    if (caller) return caller
    if (own && timingSafeEqual(digest(token), own)) return { kind: 'hub' }
    throw new Refusal('need-token')
  }

  return (request) => {
    if (queryOf(request.url ?? '').has('token')) throw new Refusal('token-in-url')
    return callerByHeader(attempts, request, isClosed, callerOf)
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
