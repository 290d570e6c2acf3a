/** `POST /api/v1/push` */
import type { Context } from 'koa'
import type { Caller } from '../../directory/access.ts'
import { onlyPlatform } from '../../hub/plan.ts'
import { recipientId, type RecipientId, wireName } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/errors.ts'
import { readBody } from '../body.ts'
import type { HttpOptions } from '../door.ts'
import { answer } from './answer.ts'
import { type ApiPush, readPush } from './request.ts'
import { headOf } from './task.ts'
import { words } from './words.ts'

const MAX_ECHO = 64

/** Accepts a push and answers with its task; what becomes of it is asked for later. @throws Refusal */
export async function push(options: HttpOptions, ctx: Context, caller: Caller): Promise<void> {
  const { hub, store, settings, api } = options
  const asked = readPush(await readBody(ctx.req, settings.maxBody, false), ctx.get('idempotency-key'))
  const recipient = recipientId(asked.recipient_alias)
  const { mid } = await hub.push({
    caller,
    method: 'http',
    to: { recipient },
    body: { text: asked.content.title, desp: asked.content.msg, extra: extraOf(asked) },
    strategy: strategyOf(options, asked, recipient),
    expireMs: asked.expire === undefined ? settings.expireMs : asked.expire * 1000,
    idempotencyKey: asked.idempotencyKey,
    waitMs: 0,
  })
  const message = mid === null ? null : await store.message(mid)
  if (!message) throw nobody(recipient)
  ctx.set('x-message-id', message.mid)
  answer(ctx, 200, words[api.dialect].pushed, headOf(options, message, recipient))
}

/** `type` and `style` are the API's own: `extra` cannot change them. */
function extraOf({ extra, url, type, style }: ApiPush): Record<string, unknown> {
  return { ...extra, ...(url === undefined ? {} : { url }), type, style }
}

/** @throws Refusal for a platform that does not reach the recipient */
function strategyOf(
  { hub, directory }: HttpOptions,
  { platform, strategy }: ApiPush,
  recipient: RecipientId,
): string | null {
  if (platform === undefined) return strategy ?? null
  const only = onlyPlatform(platform)
  if (hub.plans.of(recipient, only).length > 0) return only
  if (!directory.has(recipient)) throw nobody(recipient)
  throw new Refusal('bad-packet', `接收者未配置该platform: ${platform.slice(0, MAX_ECHO)}`)
}

function nobody(recipient: RecipientId): Refusal {
  return new Refusal('not-found', `接收者不存在: ${wireName(recipient)}`)
}
