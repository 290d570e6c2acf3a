/**
 * The secrets that callers prove themselves with: the shared hub token, the admin token, and `auth`, which
 * the hub signs for a client. `auth` has a key of its own, so it tells nothing about the hub token.
 */
import { createHmac, generateKeyPairSync, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { Refusal } from '../protocol/errors.ts'
import type { RecipientId } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './access.ts'

const AUTH_LIFE_MS = 30 * 24 * 3_600_000
const CONFIRM_LIFE_MS = 7 * 24 * 3_600_000
const VERSION = 'c1'
/** what is signed for a link is never taken for what is signed for a client */
const CONFIRM = 'l1'
/** Who, and until when in ms since epoch. */
const claimsSchema = z.tuple([z.string(), z.number()])
/** Message, recipient, channel, and until when in ms since epoch. */
const confirmSchema = z.tuple([z.string(), z.string(), z.string(), z.number()])
const vapidSchema = z.object({ publicKey: z.string() })

export interface Tokens {
  readonly hubToken: string
  /** VAPID public key: base64url without padding, 87 characters (RFC 8292) */
  readonly vapidPublicKey: string
  /** The caller that the token proves, or null. Compares in constant time. */
  callerOf(token: string): Caller | null
  /** A token by which the holder speaks for `id`, good for 30 days. */
  sign(id: RecipientId): string
  /** @throws Refusal bad-auth when forged, expired or not a string */
  verify(auth: unknown): Caller & { kind: 'client' }
  /** A token by which whoever holds it confirms one message for one recipient, good for 7 days. */
  signConfirm(confirm: Confirm): string
  /** @throws Refusal bad-link when forged, link-expired when its time is over */
  readConfirm(token: string): Confirm
}

/** What a confirm link stands for. */
export interface Confirm {
  readonly mid: Mid
  readonly recipient: RecipientId
  /** the channel that brought the link */
  readonly via: string
}

export interface TokenOptions {
  readonly hubToken: string
  readonly adminToken: string | undefined
  readonly store: Store
  readonly now: () => number
}

/** Reads the hub's own keys from the store, or makes them at the first start. */
export async function loadTokens({ hubToken, adminToken, store, now }: TokenOptions): Promise<Tokens> {
  const key = Buffer.from(await setting(store, 'authKey', () => randomBytes(32).toString('base64')), 'base64')
  const vapid = vapidSchema.parse(JSON.parse(await setting(store, 'vapid', newVapidKeys)))
  const hub = digest(hubToken)
  const admin = adminToken === undefined ? null : digest(adminToken)

  const signature = (payload: string, version = VERSION) =>
    createHmac('sha256', key).update(`${version}.${payload}`).digest('base64url')

  return {
    hubToken,
    vapidPublicKey: vapid.publicKey,
    callerOf(token) {
      const given = digest(token)
      if (admin && timingSafeEqual(given, admin)) return { kind: 'admin' }
      return timingSafeEqual(given, hub) ? { kind: 'hub' } : null
    },
    sign(id) {
      const payload = Buffer.from(JSON.stringify([id, now() + AUTH_LIFE_MS])).toString('base64url')
      return `${VERSION}.${payload}.${signature(payload)}`
    },
    verify(auth) {
      const [version, payload, given, rest] = typeof auth === 'string' ? auth.split('.') : []
      if (version !== VERSION || payload === undefined || given === undefined || rest !== undefined) {
        throw new Refusal('bad-auth')
      }
      if (!timingSafeEqual(digest(given), digest(signature(payload)))) throw new Refusal('bad-auth')
      const [id, expiresAt] = claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
      if (expiresAt <= now()) throw new Refusal('bad-auth')
      return { kind: 'client', id }
    },
    signConfirm({ mid, recipient, via }) {
      const claims = JSON.stringify([mid, recipient, via, now() + CONFIRM_LIFE_MS])
      const payload = Buffer.from(claims).toString('base64url')
      return `${payload}.${signature(payload, CONFIRM)}`
    },
    readConfirm(token) {
      const [payload = '', given = '', rest] = token.split('.')
      const isSigned = timingSafeEqual(digest(given), digest(signature(payload, CONFIRM)))
      if (!isSigned || rest !== undefined) throw new Refusal('bad-link')
      const [mid, recipient, via, expiresAt] = confirmSchema.parse(
        JSON.parse(Buffer.from(payload, 'base64url').toString()),
      )
      if (expiresAt <= now()) throw new Refusal('link-expired')
      return { mid, recipient, via }
    },
  }
}

/** A new 256-bit token in words of a URL-safe alphabet. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function digest(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

function newVapidKeys(): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const { d = '' } = privateKey.export({ format: 'jwk' })
  return JSON.stringify({ publicKey: point.toString('base64url'), privateKey: d })
}

/** A setting made once; where two processes make it at the same time, the first one's stands. */
async function setting(store: Store, id: string, make: () => string): Promise<string> {
  const stored = await store.get<string>('setting', id)
  if (stored) return stored.value
  await store.write([{ op: 'put', kind: 'setting', id, value: make(), rev: 0 }], 'sync')
  const made = await store.get<string>('setting', id)
  if (!made) throw new Error(`the store did not keep the setting ${id}`)
  return made.value
}
