import { recipientId, type RecipientId, groupId } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import type { AuthData, AuthOk } from '../protocol/packets.ts'
import { may } from './access.ts'
import type { Prove } from './attempts.ts'
import type { Directory } from './directory.ts'
import type { Tokens } from './tokens.ts'

/** What Android clients need to set up Firebase; empty strings where the operator has none. */
export interface FcmSettings {
  readonly projectId: string
  readonly applicationId: string
  readonly apiKey: string
}

export interface Login {
  readonly id: RecipientId
  readonly packet: AuthOk
}

export interface LoginOptions {
  readonly directory: Directory
  readonly tokens: Tokens
  readonly fcm: FcmSettings
}

/**
 * AUTH: proves the token, makes the recipient known under its name and group, and hands out `auth`.
 * @param verify whether the shared token must be right
 * @throws Refusal need-token for a wrong token, not-allowed for a reserved name, bad-name, too-many-attempts
 */
export async function login(
  { directory, tokens, fcm }: LoginOptions,
  data: AuthData,
  verify: boolean,
  prove: Prove,
): Promise<Login> {
  const id = recipientId(data.name)
  const group = data.group === null ? null : groupId(data.group)
  prove(() => {
    const caller = tokens.callerOf(data.token)
    if (verify && !caller) throw new Refusal('need-token', 'Token invalid')
    if (!may(caller ?? { kind: 'anyone' }, 'connect', id)) throw new Refusal('not-allowed', 'Token invalid')
  })
  await directory.join(id, group)
  return { id, packet: authOk(tokens, fcm, id) }
}

/** Only this is told as AUTH 403: clients take it as final and never come back by themselves. */
export function isWrongToken(error: unknown): error is Refusal {
  return error instanceof Refusal && (error.code === 'need-token' || error.code === 'not-allowed')
}

/** The key order is what Android 3.x reads; three names for one VAPID key serve three generations. */
function authOk(tokens: Tokens, fcm: FcmSettings, id: RecipientId): AuthOk {
  return {
    code: 200,
    msg: 'Successful authentication',
    fcmProjectId: fcm.projectId,
    fcmApplicationId: fcm.applicationId,
    fcmApiKey: fcm.apiKey,
    auth: tokens.sign(id),
    fcmServerKey: tokens.vapidPublicKey,
    webpushServerKey: tokens.vapidPublicKey,
    webpushPublicKey: tokens.vapidPublicKey,
  }
}
