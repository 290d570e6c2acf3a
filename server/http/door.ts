/** What the routes of the HTTP door share: their options, and how they answer. */
import type { Context } from 'koa'
import type { Clock } from '../ground/clock.ts'
import type { Attempts } from '../directory/attempts.ts'
import type { LoginOptions } from '../directory/login.ts'
import type { Hub, PushResult } from '../hub/hub.ts'
import type { Log } from '../ground/log.ts'
import { Refusal } from '../protocol/errors.ts'
import type { Dialect } from '../protocol/ids.ts'
import type { ServerPacket } from '../protocol/packets.ts'
import { flatReply, nestedReply } from '../protocol/reply.ts'
import { refusalOf } from '../store/refusal.ts'
import type { Store } from '../store/store.ts'
import { count } from '../ground/tally.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

export interface HttpSettings {
  /** pushes must carry the shared token */
  readonly verifyToken: boolean
  /** ms a push waits for acks */
  readonly waitTimeout: number
  readonly cors: boolean
  readonly reply: 'flat' | 'nested'
  /** bytes */
  readonly maxBody: number
  /** bytes */
  readonly maxUrl: number
  /** ms until a message without an `expire` of its own is worthless; null: never */
  readonly expireMs: number | null
}

export interface HttpOptions extends LoginOptions {
  readonly attempts: Attempts
  readonly hub: Hub
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly settings: HttpSettings
  readonly api: ApiSettings
  readonly version: string
}

/** The PushServer API. */
export interface ApiSettings {
  /** null: it has none of its own */
  readonly token: string | null
  /** which version of PushServer it answers like */
  readonly dialect: Dialect
}

/** Answers with an mpush packet. */
export function answer(ctx: Context, status: number, packet: ServerPacket): void {
  answerJson(ctx, status, packet)
}

export function answerJson(ctx: Context, status: number, value: object): void {
  answerText(ctx, status, JSON.stringify(value))
}

/** A cache on the way would swallow the next push by GET. */
function answerText(ctx: Context, status: number, packet: string): void {
  ctx.status = status
  ctx.set('content-type', JSON_TYPE)
  ctx.set('cache-control', 'no-store')
  ctx.body = packet
}

/** 200 with nothing in it, as mpush answers where only the status counts. */
export function answerEmpty(ctx: Context): void {
  ctx.status = 200
  ctx.set('content-type', JSON_TYPE)
  ctx.body = ''
}

/** Answers a push: MESSAGE_REPLY, the mid in `X-Message-Id`. */
export function answerPush(ctx: Context, { reply }: HttpSettings, { mid, standings }: PushResult): void {
  if (mid !== null) ctx.set('x-message-id', mid)
  answerText(ctx, 200, reply === 'nested' ? nestedReply(mid, standings) : flatReply(standings))
}

/** What a caller is told of an error. It is counted; a fault of ours is logged. @param what could not be done */
export function refusalFor({ hub, log }: Pick<HttpOptions, 'hub' | 'log'>, error: unknown, what: string): Refusal {
  const known = refusalOf(error)
  if (!known) log.error({ err: error }, what)
  const refusal = known ?? new Refusal('internal')
  count(hub.meters.refusals.http, refusal.code)
  return refusal
}

/** Answers a refusal as INFO, with what a client needs to do better. */
export function answerRefusal(ctx: Context, refusal: Refusal): void {
  refusalHeaders(ctx, refusal, 'GET, POST, OPTIONS')
  ctx.set('x-error', refusal.code)
  answer(ctx, refusal.status, { cmd: 'INFO', data: refusal.message })
}

/** What goes with a refusal in any envelope. @param methods served here, where the route has not said so */
export function refusalHeaders(ctx: Context, refusal: Refusal, methods: string): void {
  if (refusal.status === 401) ctx.set('www-authenticate', 'Bearer')
  if (refusal.status === 405 && !ctx.response.get('allow')) ctx.set('allow', methods)
  if (refusal.status === 503 || refusal.status === 429) ctx.set('retry-after', String(refusal.retryAfterS))
  if (refusal.code === 'too-large') ctx.set('connection', 'close')
}
