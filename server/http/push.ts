/** Pushes by URL: `GET /{name}.send?text=…&desp=…`, `GET /{group}.group?…`, and the flat POST of V2.0. */
import type { Context, Middleware } from 'koa'
import { addressOf } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { MAX_IDEMPOTENCY_KEY, type MessageBody } from '../protocol/packets.ts'
import { fieldsOf } from './body.ts'
import { answerPush, type HttpOptions } from './door.ts'
import { identify } from './identify.ts'

const suffixes = [
  ['.send', 'personal'],
  ['.group', 'group'],
] as const

/** What a push URL names. */
export interface PushPath {
  readonly sendType: 'personal' | 'group'
  readonly target: string
}

/** First in line: nothing stands between the socket and the most frequent request. */
export function pushByUrl(options: HttpOptions): Middleware {
  return (ctx, next) => {
    const path = ctx.method === 'GET' ? readPushPath(ctx.req.url ?? '') : null
    if (!path) return next()
    const fields = fieldsOf(queryOf(ctx.req.url ?? ''))
    if (fields.has('token')) throw new Refusal('token-in-url')
    const idem = fields.get('idem')
    fields.delete('idem')
    return pushFlat(options, ctx, path, fields, idem?.toString())
  }
}

/** Pushes flat fields: `text` and `desp`, all others are `extra`. */
export async function pushFlat(
  options: HttpOptions,
  ctx: Context,
  { sendType, target }: PushPath,
  fields: ReadonlyMap<string, unknown>,
  idem?: string,
): Promise<void> {
  const { hub, settings } = options
  const body: MessageBody = {
    text: asText(fields.get('text')),
    desp: asText(fields.get('desp')),
    extra: extraOf(fields),
  }
  const result = await hub.push({
    caller: identify(options, ctx.req, undefined, settings.verifyToken),
    method: 'http',
    to: addressOf(sendType, target),
    body,
    strategy: null,
    expireMs: settings.expireMs,
    idempotencyKey: idempotencyKey(ctx, idem),
    waitMs: settings.waitTimeout,
  })
  answerPush(ctx, settings, result)
}

function extraOf(fields: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const extra: Record<string, unknown> = {}
  for (const [key, value] of fields) if (key !== 'text' && key !== 'desp') extra[key] = value
  return extra
}

/**
 * The path of a push: its last suffix is exactly `.send` or `.group`, the name before it is decoded once.
 * Null when this is no push URL. @throws Refusal bad-name for a broken percent sign
 */
export function readPushPath(url: string): PushPath | null {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  for (const [suffix, sendType] of suffixes) {
    if (path.endsWith(suffix)) return { sendType, target: decode(path.slice(1, -suffix.length)) }
  }
  return null
}

/** The query of a URL as it came, decoded once. */
export function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?')
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
}

/** The header, or `idem` where there is no body to hold one. @throws Refusal bad-packet */
export function idempotencyKey(ctx: Context, idem?: string): string | null {
  const key = ctx.get('idempotency-key') || idem || null
  if (key !== null && key.length > MAX_IDEMPOTENCY_KEY) {
    throw new Refusal('bad-packet', `an idempotency key has ${MAX_IDEMPOTENCY_KEY} characters at most`)
  }
  return key
}

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Refusal('bad-name', 'the name in the path is not percent-encoded UTF-8')
  }
}

/** A repeated key reads as it did in mpush: joined by commas. @throws Refusal bad-packet */
function asText(value: unknown): string {
  if (value === undefined || value === null) return ''
  const parts: unknown[] = Array.isArray(value) ? value : [value]
  return parts.map(asWord).join(',')
}

function asWord(part: unknown): string {
  if (typeof part === 'string') return part
  if (typeof part === 'object') throw new Refusal('bad-packet', 'text and desp are strings')
  return JSON.stringify(part)
}
