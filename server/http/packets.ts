/** Packets by POST, on any path that is no API path: only `cmd` counts. */
import type { Context, Middleware } from 'koa'
import type { Caller } from '../directory/access.ts'
import { isWrongToken, login } from '../directory/login.ts'
import { readRegistration } from '../directory/registration.ts'
import { addressOf, wireName } from '../protocol/address.ts'
import { Refusal } from '../protocol/errors.ts'
import { type Packet, packetSchemas, readData, readPacket } from '../protocol/packets.ts'
import { readBody } from './body.ts'
import { answer, answerEmpty, answerPush, type HttpOptions } from './door.ts'
import { identify } from './identify.ts'
import { count } from '../ground/tally.ts'
import { idempotencyKey, pushFlat, queryOf, readPushPath } from './push.ts'

type Handler = (options: HttpOptions, ctx: Context, packet: Packet) => Promise<void> | void

const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['AUTH', auth],
  ['MESSAGE', message],
  ['MESSAGE_CALLBACK', ack],
  ['MESSAGE_WEBPUSH_CALLBACK', webPushAck],
  ['MESSAGE_FCM_CALLBACK', webPushAck],
  ['CONFIRM', confirm],
  ['REGISTER_WEBPUSH', register],
  ['REGISTER_FCM', register],
  ['TEST_HTTP', testHttp],
])

/** A body with `cmd` is a packet; without one it may be the flat push of V2.0, if the path says so. */
export function packetsByPost(options: HttpOptions): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST') return next()
    const url = ctx.req.url ?? ''
    if (queryOf(url).has('token')) throw new Refusal('token-in-url')
    const path = readPushPath(url)
    const body = await readBody(ctx.req, options.settings.maxBody, path !== null)
    if (isObject(body) && !('cmd' in body)) {
      if (!path) throw new Refusal('not-found')
      return pushFlat(options, ctx, path, new Map(Object.entries(body)))
    }
    const packet = readPacket(body)
    const handler = handlers.get(packet.cmd)
    if (!handler) throw new Refusal('bad-packet', `Unknow cmd: ${packet.cmd.slice(0, 64)}`)
    await handler(options, ctx, packet)
  }
}

async function auth(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  identify(options, ctx.req, packet.auth, options.settings.verifyToken)
  const data = readData(packetSchemas.AUTH, packet.data)
  try {
    const { packet: granted } = await login(options, data, true, (proof) => options.attempts.prove(ctx.req, proof))
    answer(ctx, 200, { cmd: 'AUTH', data: granted })
  } catch (error) {
    if (!isWrongToken(error)) throw error
    count(options.hub.meters.refusals.http, error.code)
    answer(ctx, 403, { cmd: 'AUTH', data: { code: 403, msg: error.message } })
  }
}

async function message(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  const { hub, settings } = options
  const caller = identify(options, ctx.req, packet.auth, settings.verifyToken)
  const { sendType, target, message: body, expire, idem } = readData(packetSchemas.MESSAGE, packet.data)
  const result = await hub.push({
    caller,
    method: 'http',
    to: addressOf(sendType, target),
    body,
    strategy: null,
    expireMs: expire ? expire * 1000 : settings.expireMs,
    idempotencyKey: idempotencyKey(ctx, idem ?? undefined),
    waitMs: settings.waitTimeout,
  })
  answerPush(ctx, settings, result)
}

async function ack(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  const { id } = client(options, ctx, packet)
  const { mid } = readData(packetSchemas.MID, packet.data)
  await options.hub.sessions.ack(id, mid, {})
  answer(ctx, 200, { cmd: 'INFO', data: 'ok' })
}

async function webPushAck(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  const { id } = client(options, ctx, packet)
  const { mid } = readData(packetSchemas.MID, packet.data)
  await options.hub.sessions.ack(id, mid, { via: 'webpush' })
  answer(ctx, 200, { cmd: 'INFO', data: 'ok' })
}

async function confirm(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  const { id } = client(options, ctx, packet)
  const { mid } = readData(packetSchemas.MID, packet.data)
  const first = await options.hub.sessions.confirm(id, mid, wireName(id))
  if (!first) throw new Refusal('not-found', 'there is no such message to confirm')
  answer(ctx, 200, { cmd: 'CLEAR', data: { mid, by: first.by } })
}

async function register(options: HttpOptions, ctx: Context, packet: Packet): Promise<void> {
  const { id } = client(options, ctx, packet)
  if (!options.directory.has(id)) {
    throw new Refusal('not-found', `The Client ${wireName(id)} is not register`)
  }
  await options.directory.register(id, readRegistration(packet.cmd, packet.data, ''))
  answer(ctx, 200, { cmd: 'INFO', data: 'ok' })
}

/** The PWA asks only whether this resolves. */
function testHttp(options: HttpOptions, ctx: Context, packet: Packet): void {
  identify(options, ctx.req, packet.auth, options.settings.verifyToken)
  answerEmpty(ctx)
}

/** Callbacks speak in a recipient's name: `auth` must prove it. */
function client(options: HttpOptions, ctx: Context, packet: Packet): Caller & { kind: 'client' } {
  const caller = identify(options, ctx.req, packet.auth, Boolean(ctx.req.headers.authorization))
  if (caller.kind !== 'client') throw new Refusal('need-auth', `The ${packet.cmd} cmd must need auth.`)
  return caller
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
