import type { IncomingMessage } from 'node:http'
import type { Caller } from '../directory/access.ts'
import type { Tokens } from '../directory/tokens.ts'
import { Refusal } from '../protocol/errors.ts'
import type { HttpOptions } from './door.ts'

export const BEARER = /^bearer /i

/**
 * Who calls: by `auth` of the packet if there is one, else by the header `authorization` with the hub's
 * token, the admin's or a client's `auth`, bare or as Bearer.
 * @param verify whether a caller must prove something; if not, a header that proves nothing is no obstacle
 * @throws Refusal bad-auth, need-token, too-many-attempts
 */
export function identify(
  { tokens, attempts }: Pick<HttpOptions, 'tokens' | 'attempts'>,
  request: IncomingMessage,
  auth: unknown,
  verify: boolean,
): Caller {
  if (auth !== undefined) return attempts.prove(request, () => tokens.verify(auth))
  const { authorization } = request.headers
  if (!authorization) {
    if (verify) throw new Refusal('need-token')
    return { kind: 'anyone' }
  }
  try {
    return attempts.prove(request, () => callerOf(tokens, authorization.replace(BEARER, '')))
  } catch (error) {
    if (verify) throw error
    return { kind: 'anyone' }
  }
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
