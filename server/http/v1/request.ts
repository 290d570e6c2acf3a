/** The body of a push as PushServer documents it, and a few keys of ours; all others are ignored. */
import * as z from 'zod'
import { LEVELS, STRATEGIES } from '../../hub/hub.ts'
import { Refusal } from '../../protocol/errors.ts'
import { MAX_IDEMPOTENCY_KEY } from '../../protocol/packets.ts'

const STYLES = ['text', 'card'] as const
const MAX_EXPIRE_S = 10 * 365 * 86_400

/** Senders in languages with zero values write a key they do not use as `""`. */
const unset = (value: unknown) => (value === '' || value === null ? undefined : value)

function isMissing({ input }: { readonly input?: unknown }): boolean {
  return unset(input) === undefined
}

function text(field: string) {
  return z
    .string({ error: (issue) => (isMissing(issue) ? `${field}不能为空` : `${field}必须是字符串`) })
    .min(1, `${field}不能为空`)
}

function oneOf<const T extends readonly string[]>(field: string, values: T) {
  return z.enum(values, {
    error: (issue) => (isMissing(issue) ? `${field}不能为空` : `${field}必须是${values.join('、')}之一`),
  })
}

const bodySchema = z.object(
  {
    recipient_alias: text('recipient_alias'),
    type: oneOf('type', LEVELS),
    style: oneOf('style', STYLES),
    content: z.object(
      { title: text('content.title'), msg: text('content.msg') },
      { error: (issue) => (isMissing(issue) ? 'content不能为空' : 'content必须是对象') },
    ),
    platform: z.preprocess(unset, text('platform').optional()),
    strategy: z.preprocess(unset, z.unknown()),
    url: z.preprocess(unset, z.url({ protocol: /^https?$/, error: 'url必须是http或https地址' }).optional()),
    extra: z.preprocess(unset, z.record(z.string(), z.unknown(), { error: 'extra必须是对象' }).optional()),
    idempotency_key: z.preprocess(unset, z.string('idempotency_key必须是字符串').optional()),
    expire: z.preprocess(
      unset,
      z.number('expire必须是秒数').positive('expire必须大于0').max(MAX_EXPIRE_S, 'expire过大').optional(),
    ),
  },
  { error: '请求体必须是JSON对象' },
)

/** Beside a platform it is ignored, whatever it is. */
const strategySchema = oneOf('strategy', [...STRATEGIES, 'platform']).optional()

export interface ApiPush extends Omit<z.infer<typeof bodySchema>, 'strategy' | 'idempotency_key'> {
  readonly strategy: (typeof STRATEGIES)[number] | undefined
  readonly idempotencyKey: string | null
}

/**
 * @param body parsed JSON
 * @param key the header `Idempotency-Key`, which wins over the body's; empty: none
 * @throws Refusal bad-packet, naming the field in Chinese
 */
export function readPush(body: unknown, key: string): ApiPush {
  const { strategy: named, idempotency_key, ...push } = read(bodySchema, body)
  const strategy = push.platform === undefined ? read(strategySchema, named) : undefined
  if (strategy === 'platform') throw new Refusal('bad-packet', 'platform不能为空')
  const idempotencyKey = key || idempotency_key || null
  if (idempotencyKey !== null && idempotencyKey.length > MAX_IDEMPOTENCY_KEY) {
    throw new Refusal('bad-packet', `idempotency_key不能超过${MAX_IDEMPOTENCY_KEY}个字符`)
  }
  return { ...push, strategy, idempotencyKey }
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const { data, error, success } = schema.safeParse(value)
  if (success) return data
  throw new Refusal('bad-packet', error.issues[0]?.message)
}
