/**
 * `GET /api/v2/dead-letters` lists what could not be delivered, newest first; `POST …/{mid}/{recipient}/resend`
 * sends one again. For whoever holds the hub's or the admin's token.
 */
import type Router from '@koa/router'
import type { RouterContext } from '@koa/router'
import * as z from 'zod'
import { recipientId, wireName } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { HttpOptions } from '../door.ts'
import { operator } from '../identify.ts'
import { problems } from './problem.ts'

const MOST = 200
const pageSchema = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .transform((limit) => Math.min(limit, MOST)),
  before: z
    .string()
    .regex(/^\d{13}(:\d+)?$/)
    .optional(),
})

export function addDeadLetters(router: Router, options: HttpOptions): void {
  router.get('/api/v2/dead-letters', problems(options), (ctx) => list(options, ctx))
  router.post('/api/v2/dead-letters/:mid/:recipient/resend', problems(options), (ctx) => resend(options, ctx))
}

async function list(options: HttpOptions, ctx: RouterContext): Promise<void> {
  operator(options, ctx.req)
  const { limit, before } = pageOf(ctx)
  const page = await options.hub.deadLetters.list(before === undefined ? { limit } : { limit, before })
  ctx.body = {
    items: page.items.map(({ delivery, message, attempts }) => ({
      mid: delivery.mid,
      recipient: wireName(delivery.recipient),
      accepted_at: new Date(message.at).toISOString(),
      failed_at: new Date(delivery.at).toISOString(),
      reason: delivery.reason,
      strategy: message.strategy,
      message: message.body,
      attempts: attempts.map(({ channel, endpoint, startedAt, outcome, detail, maybeDuplicate }) => ({
        channel,
        endpoint,
        at: new Date(startedAt).toISOString(),
        outcome,
        detail,
        maybe_duplicate: maybeDuplicate,
      })),
    })),
    next: page.next,
  }
}

async function resend(options: HttpOptions, ctx: RouterContext): Promise<void> {
  operator(options, ctx.req)
  const { mid = '', recipient = '' } = ctx.params
  const sent = await options.hub.deadLetters.resend(mid, addressed(recipient))
  if (sent === null) throw new Refusal('not-found', 'there is no such dead letter')
  ctx.status = 202
  ctx.body = { mid: sent }
}

function pageOf(ctx: RouterContext): z.infer<typeof pageSchema> {
  const page = pageSchema.safeParse(ctx.query)
  if (page.success) return page.data
  throw new Refusal('bad-packet', `${page.error.issues[0]?.path.join('.') ?? 'the query'} is not as documented`)
}

/** Recipients of built-in calls belong to an app and keep their whole address. */
function addressed(name: string): string {
  return name.endsWith('@app') ? name : recipientId(name)
}
