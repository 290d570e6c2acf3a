/**
 * The packets of mpush 2.1 and ours, as PROTOCOL.md describes them. One JSON object per frame or body:
 * `{cmd, data, auth?, id?}`; keys that are not named here are ignored.
 */
import * as z from 'zod'
import type { Mid, MpushWord } from './states.ts'
import { type ErrorName, Refusal } from './errors.ts'

/** Old clients send numbers, null or nothing where a string is meant. */
const looseString = z
  .union([z.string(), z.number(), z.boolean()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value)))

const required = (property: string) =>
  looseString.refine((value) => value !== '', { error: `${property} property is required` })

/** Android clients write an unset group as the string "null". */
const optionalGroup = looseString.transform((value) =>
  value === '' || value === 'null' || value === 'undefined' ? null : value,
)

/** PHP writes an object without keys as `[]`. */
const extra = z.preprocess(
  (value) => (Array.isArray(value) && value.length === 0 ? {} : (value ?? {})),
  z.record(z.string(), z.unknown(), { error: 'extra property must be an object' }),
)

/** What a receiver shows: title, text and whatever the sender added for the app. */
export type MessageBody = Readonly<{
  text: string
  desp: string
  extra: Readonly<Record<string, unknown>>
}>

export const MAX_WINDOW = 100
export const MAX_IDEMPOTENCY_KEY = 255
const MAX_ID = 64

export const packetSchemas = {
  AUTH: z.object({
    token: looseString,
    name: required('name'),
    group: optionalGroup,
    /** a remembered place of this recipient; lets it hold several sessions */
    device: z.string({ error: 'device property must be a string' }).nullish(),
    /** frames in flight at once; 1 unless told, 100 at most */
    window: z.int({ error: 'window property must be a whole number' }).positive().nullish(),
    /** this client can say that a person confirmed */
    confirms: z.boolean({ error: 'confirms property must be true or false' }).nullish(),
  }),
  MESSAGE: z.object({
    sendType: z.enum(['personal', 'group'], { error: "sendType property must 'personal' or 'group'" }),
    target: required('target'),
    message: z.object({ text: looseString, desp: looseString, extra }, { error: 'message property is required' }),
    /** seconds until it is worthless */
    expire: z.number({ error: 'expire property must be seconds' }).positive().nullish(),
    /** idempotency key */
    idem: z
      .string({ error: 'idem property must be a string' })
      .max(MAX_IDEMPOTENCY_KEY, { error: `idem property: ${MAX_IDEMPOTENCY_KEY} characters at most` })
      .nullish(),
  }),
  MID: z.object({ mid: required('mid') }),
  WEBPUSH: z.object(
    {
      endpoint: z.url({ protocol: /^https?$/, error: 'endpoint property is required' }),
      expirationTime: z.number().nullish(),
      keys: z.object(
        {
          auth: z.string({ error: 'keys.auth property is required' }),
          p256dh: z.string({ error: 'keys.p256dh property is required' }),
        },
        { error: 'keys property is required' },
      ),
    },
    { error: 'endpoint property is required' },
  ),
  FCM: z.object({ token: required('token') }, { error: 'token property is required' }),
}

const envelope = z.object(
  {
    cmd: z.string({ error: 'cmd property is required' }),
    data: z.unknown().optional(),
    /** Android 3.x sends an empty one when it has none */
    auth: z
      .unknown()
      .transform((auth) => (auth === null || auth === '' ? undefined : auth))
      .optional(),
    /** comes back with the answer on a socket; whatever else old clients may keep here is ignored */
    id: z.string().min(1).max(MAX_ID).optional().catch(undefined),
  },
  { error: 'a packet is a JSON object with the property cmd' },
)

export type Packet = z.infer<typeof envelope>
export type AuthData = z.infer<typeof packetSchemas.AUTH>
export type MessageData = z.infer<typeof packetSchemas.MESSAGE>
export type WebPushSubscription = z.infer<typeof packetSchemas.WEBPUSH>

const ACK_HEAD = '{"cmd":"MESSAGE_CALLBACK","data":{"mid":"'
const ACK_TAIL = '"}}'
const ACK_LENGTH = ACK_HEAD.length + 13 + ACK_TAIL.length

/**
 * The mid of a MESSAGE_CALLBACK written as nearly every client writes it, read without a parser: of all that
 * clients send, most are these. It is not checked any further. Null for whatever else it may be.
 */
export function readPlainAck(text: string): Mid | null {
  if (text.length !== ACK_LENGTH || !text.startsWith(ACK_HEAD) || !text.endsWith(ACK_TAIL)) return null
  return text.slice(ACK_HEAD.length, -ACK_TAIL.length)
}

/** The envelope of a packet. @throws Refusal bad-packet */
export function readPacket(value: unknown): Packet {
  return read(envelope, value)
}

/** The data of a packet as its schema has it. @throws Refusal bad-packet, naming the first property at fault */
export function readData<T>(schema: z.ZodType<T>, data: unknown): T {
  return read(schema, data ?? {})
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const text = issue?.message ?? ''
  if (text.includes('property')) throw new Refusal('bad-packet', text)
  const path = issue?.path.join('.') ?? ''
  throw new Refusal('bad-packet', path === '' ? 'data property must be an object' : `${path} property: ${text}`)
}

/** What the hub sends. `data` is an object in AUTH, MESSAGE, MESSAGE_REPLY, CLEAR and a string elsewhere. */
export type ServerPacket =
  | { cmd: 'AUTH'; data: AuthOk | { code: 401 | 403; msg: string } }
  | { cmd: 'MESSAGE'; data: MessageFrame }
  | { cmd: 'MESSAGE_REPLY'; data: FlatReply | NestedReply; id?: string }
  | { cmd: 'CLEAR'; data: { mid: string; by: string } }
  | { cmd: 'INFO'; data: string; id?: string; error?: ErrorName }
  | { cmd: 'PONG'; data: '' }

/** The superset that both generations of clients read; three names for one VAPID public key. */
export interface AuthOk {
  code: 200
  msg: string
  fcmProjectId: string
  fcmApplicationId: string
  fcmApiKey: string
  auth: string
  fcmServerKey: string
  webpushServerKey: string
  webpushPublicKey: string
}

export interface MessageFrame {
  sendType: 'personal' | 'group'
  target: string
  from: { method: 'http' | 'websocket'; name: string }
  message: MessageBody
  mid: string
}

export type FlatReply = Record<string, MpushWord>
export interface NestedReply {
  mid: string
  status: FlatReply
}
