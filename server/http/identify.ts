import type { IncomingMessage } from 'node:http'
import type { Caller } from '../directory/access.ts'
import type { Tokens } from '../directory/tokens.ts'
import { Refusal } from '../protocol/errors.ts'
import type { HttpOptions } from './door.ts'

const BEARER = /^bearer /i

/**
 * Who calls: by `auth` of the packet if there is one, else by the header `authorization` with the hub's
 * token, the admin's or a client's `auth`, bare or as Bearer.
 * @param verify whether a caller must prove something
 * @throws Refusal bad-auth, need-token, too-many-attempts
 */
export function identify(
  { tokens, attempts }: Pick<HttpOptions, 'tokens' | 'attempts'>,
  request: IncomingMessage,
  auth: unknown,
  verify: boolean,
): Caller {
  if (auth !== undefined) return attempts.prove(request, () => tokens.verify(auth))
  return callerByHeader(attempts, request, verify, (token) => callerOf(tokens, token))
}

/**
 * Who calls, by the header `authorization` alone.
 * @param verify whether a caller must prove something; if not, a header that proves nothing is no obstacle
 * @param callerOf whose token it is; throws need-token for nobody's
 * @throws Refusal need-token, too-many-attempts
 */
export function callerByHeader(
  attempts: HttpOptions['attempts'],
  request: IncomingMessage,
  verify: boolean,
  callerOf: (token: string) => Caller,
): Caller {
  const { authorization } = request.headers
  if (!authorization) {
    if (verify) throw new Refusal('need-token')
    return { kind: 'anyone' }
  }
  try {
    return attempts.prove(request, () => callerOf(authorization.replace(BEARER, '')))
  } catch (error) {
    if (verify) throw error
    return { kind: 'anyone' }
  }
}

/**
 * For what shows things of others: the hub's token or the admin's, also where pushes need none.
 * @throws Refusal need-token, not-allowed, too-many-attempts
 */
export function operator(options: Parameters<typeof identify>[0], request: IncomingMessage): void {
  const { kind } = identify(options, request, undefined, true)
  if (kind !== 'hub' && kind !== 'admin') throw new Refusal('not-allowed')
}

/** @throws Refusal need-token */
function callerOf(tokens: Tokens, token: string): Caller {
  const caller = tokens.callerOf(token)
  if (caller) return caller
  try {
    return tokens.verify(token)
  } catch {
    throw new Refusal('need-token')
  }
}
