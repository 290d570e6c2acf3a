/** Every door that reads JSON from strangers, and how each says no. */
import { expect } from 'vitest'
import { type HubOptions, startHub, type TestHub } from '../helpers/hub.ts'
import { GOOD, PUSH } from '../helpers/pushserver.ts'

export interface Door {
  readonly name: string
  /** levels of JSON around what `around` is given */
  readonly levels: number
  /** A packet that is well formed with this JSON in a place that takes any. */
  around(json: string): string
  /** Sends it; the words of the refusal, null when it was taken. Fails when it is refused in another way. */
  send(hub: TestHub, text: string): Promise<string | null>
}

/** One recipient who never connects, and no waiting. */
export const quiet: HubOptions = { config: { http: { waitTimeout: 0 }, clients: [{ name: 'me' }] } }

/** A hub whose doors take texts of any length. */
export function wideHub(): Promise<TestHub> {
  const { config } = quiet
  return startHub({
    config: { ...config, http: { ...config?.http, maxBody: 10_000_000 }, websocket: { maxFrame: 10_000_000 } },
  })
}

const around = (json: string) =>
  `{"cmd":"MESSAGE","data":{"sendType":"personal","target":"me","message":{"text":"x","extra":{"v":${json}}}}}`

async function post(hub: TestHub, text: string, path: string): Promise<{ status: number; json: unknown }> {
  return hub.request(path, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } })
}

const packets: Door = {
  name: 'packets by POST',
  levels: 4,
  around,
  send: async (hub, text) => wordsOf(await post(hub, text, '/'), 'data'),
}

const flat: Door = {
  name: 'flat pushes by POST',
  levels: 1,
  around: (json) => `{"text":"x","v":${json}}`,
  send: async (hub, text) => wordsOf(await post(hub, text, '/me.send'), 'data'),
}

const pushServer: Door = {
  name: 'POST /api/v1/push',
  levels: 2,
  around: (json) => `${JSON.stringify({ ...GOOD, recipient_alias: 'me' }).slice(0, -1)},"extra":{"v":${json}}}`,
  async send(hub, text) {
    const { status, json } = await post(hub, text, PUSH)
    return wordsOf({ status, json: Object(json).data }, 'error')
  },
}

/** It has no account, which is told only when the call itself is well formed. */
const sdk: Door = {
  name: 'the calls of the SDK',
  levels: 1,
  around: (json) => `{"channel":"#ops","content":"x","v":${json}}`,
  async send(hub, text) {
    const { status, json } = await post(hub, text, '/slack/send/message')
    expect(json).toEqual({ code: 1, message: expect.any(String) })
    expect(status).toBe(200)
    const { message } = Object(json)
    return message === 'sdk.slack 未配置' ? null : message
  },
}

const sockets: Door = {
  name: 'packets by WebSocket',
  levels: 4,
  around,
  async send(hub, text) {
    const me = await hub.login('sender')
    me.socket.send(text)
    const { data } = await Promise.race([me.next('INFO'), me.next('MESSAGE_REPLY')])
    me.socket.terminate()
    await me.closed
    return typeof data === 'string' ? data : null
  },
}

function wordsOf({ status, json }: { status: number; json: unknown }, key: string): string | null {
  if (status === 200) return null
  expect([400, 404, 413, 415]).toContain(status)
  const words: unknown = Object(json)[key]
  expect(words).toEqual(expect.any(String))
  return String(words)
}

export const doors: readonly Door[] = [packets, flat, pushServer, sdk, sockets]
