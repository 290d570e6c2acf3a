import type { IncomingMessage } from 'node:http'
import type { Caller } from '../directory/access.ts'
import type { Tokens } from '../directory/tokens.ts'
import { Refusal } from '../protocol/errors.ts'

const BEARER = /^bearer /i

/**
 * Who calls: by `auth` of the packet if there is one, else by the header `authorization` with the hub's
 * token, the admin's or a client's `auth`, bare or as Bearer.
 * @param verify whether a caller must prove something
 * @throws Refusal bad-auth, need-token
 */
export function identify(tokens: Tokens, request: IncomingMessage, auth: unknown, verify: boolean): Caller {
  if (auth !== undefined) return tokens.verify(auth)
  const header = request.headers.authorization
  const caller = header === undefined ? null : callerOf(tokens, header.replace(BEARER, ''))
  if (caller) return caller
  if (verify) throw new Refusal('need-token')
  return { kind: 'anyone' }
}

function callerOf(tokens: Tokens, token: string): Caller | null {
  const caller = tokens.callerOf(token)
  if (caller) return caller
  try {
    return tokens.verify(token)
  } catch {
    return null
  }
}
