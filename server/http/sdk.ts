/**
 * The calls of the multi-platform SDK. Each sends once, waits for what came of it, and answers 200 with
 * `{code: 0}` or `{code: 1, message}`, the message being what the provider answered, word for word.
 */
import type { Context } from 'koa'
import type Router from '@koa/router'
import type { Caller } from '../directory/access.ts'
import { type CallKind, calls, problemOf, recipientOf } from '../protocol/sdk.ts'
import { Refusal } from '../protocol/errors.ts'
import { readBody } from './body.ts'
import { type HttpOptions, refusalFor } from './door.ts'
import { idempotencyKey } from './push.ts'
import { createGate, type Gate } from './gate.ts'

/** what could not go out by then never will: its caller has been told so */
const EXPIRE_MS = 10_000
/** and a little longer for an attempt that began just before */
const WAIT_MS = 30_000

export function addSdk(router: Router, options: HttpOptions): void {
  const gate = createGate(options)
  for (const call of calls) router.all(call.path, (ctx) => serve(options, ctx, call, gate))
}

async function serve(options: HttpOptions, ctx: Context, call: CallKind, gate: Gate): Promise<void> {
  try {
    if (ctx.method !== 'POST') throw new Refusal('bad-method', 'only POST is served here')
    const message = await send(options, ctx, call, gate(ctx.req))
    ctx.body = message === null ? { code: 0 } : { code: 1, message }
  } catch (error) {
    const { status, message, retryAfterS } = refusalFor(options, error, 'a call could not be handled')
    ctx.status = isCallersFault(status) ? 200 : status
    if (status === 405) ctx.set('allow', 'POST, OPTIONS')
    if (status === 401) ctx.set('www-authenticate', 'Bearer')
    if (status === 429 || status === 503) ctx.set('retry-after', String(retryAfterS))
    ctx.body = { code: 1, message }
  }
}

/** Null when it went out, else why not. */
async function send(options: HttpOptions, ctx: Context, call: CallKind, caller: Caller): Promise<string | null> {
  const { hub, store, settings } = options
  const parsed = call.fields.safeParse(await readBody(ctx.req, settings.maxBody, true))
  if (!parsed.success) return problemOf(parsed.error)
  const recipient = recipientOf(call)
  if (!hub.plans.reach(recipient)) return `sdk.${call.section} 未配置`
  const { title, body, target } = parsed.data
  const { mid } = await hub.push({
    caller,
    method: 'http',
    to: { recipient },
    body: { text: title, desp: body, extra: { target } },
    strategy: null,
    expireMs: EXPIRE_MS,
    idempotencyKey: idempotencyKey(ctx),
    waitMs: WAIT_MS,
  })
  if (mid === null) throw new Refusal('internal')
  const attempt = (await store.attempts(mid, recipient)).at(-1)
  if (attempt?.outcome === 'accepted' || attempt?.outcome === 'delivered') return null
  return attempt?.answer ?? attempt?.detail ?? '发送超时，未发出'
}

/** What the SDK always answered with 200; the rest is about the hub or the way to it. */
function isCallersFault(status: number): boolean {
  return status === 400 || status === 403 || status === 413 || status === 415 || status === 422
}
