/** A whole hub in this process: a real server on a port of its own, ended with the test. */
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { type Clock, systemClock } from '../../server/ground/clock.ts'
import { configOf } from '../../server/config.ts'
import { createLog, type Log } from '../../server/ground/log.ts'
import { startServer } from '../../server/server.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { Store } from '../../server/store/store.ts'
import { connect, type TestClient } from './client.ts'
import { slowStore } from './slow-store.ts'

export const TOKEN = 'the token of this test hub'
export const ADMIN_TOKEN = 'the admin token of this test hub'

const grantedSchema = z.object({ code: z.literal(200), auth: z.string() })

/** Sections of the config over those of a test. */
export type Overrides = Omit<Parameters<typeof configOf>[0], 'token'>

export interface HubOptions {
  readonly config?: Overrides
  /** instead of the memory store, or the slow one where HUB_STORE=slow */
  readonly store?: Store
  readonly clock?: Clock
  readonly log?: Log
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** the body as JSON, null when empty */
  readonly json: unknown
}

export interface TestHub {
  readonly url: string
  readonly wsUrl: string
  readonly store: Store
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  /** A packet or any other value as JSON. */
  post(body: unknown, headers?: Record<string, string>, path?: string): Promise<Answer>
  request(path: string, init: RequestInit): Promise<Answer>
  connect(path?: string, headers?: Record<string, string>): Promise<TestClient>
  /** A client that came through AUTH, with the `auth` that it got. */
  login(name: string, more?: Record<string, unknown>): Promise<TestClient & { readonly auth: string }>
  close(): Promise<void>
}

/** Starts a hub on port 0. What a test opens and leaves open is closed at its end. */
export async function startHub({ config = {}, clock = systemClock, store, log }: HubOptions = {}): Promise<TestHub> {
  const kept = store ?? storeOf(clock)
  const server = await startServer(
    await configOf({
      adminToken: ADMIN_TOKEN,
      ...config,
      token: TOKEN,
      http: { port: 0, ...config.http },
    }),
    { clock, store: kept, log: log ?? createLog('silent') },
  )
  const clients = new Set<TestClient>()

  async function request(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(server.url + path, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: text === '' ? null : JSON.parse(text) }
  }

  const hub: TestHub = {
    url: server.url,
    wsUrl: server.wsUrl,
    store: kept,
    request,
    get: (path, headers = {}) => request(path, { headers }),
    post: (body, headers = {}, path = '/') =>
      request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async connect(path = '', headers = {}) {
      const client = await connect(server.wsUrl + path, headers)
      clients.add(client)
      return client
    },
    async login(name, more = {}) {
      const client = await hub.connect()
      client.send('AUTH', { token: TOKEN, name, ...more })
      const { auth } = grantedSchema.parse((await client.next('AUTH')).data)
      return { ...client, auth }
    },
    close: () => server.close(),
  }

  onTestFinished(async () => {
    for (const { socket } of clients) socket.terminate()
    await server.close()
  })
  return hub
}

/** HUB_STORE=slow runs every test over a store that is late and disorderly, as a remote one may be. */
function storeOf(clock: Clock): Store {
  const memory = createMemoryStore({ clock })
  return process.env['HUB_STORE'] === 'slow' ? slowStore(memory) : memory
}
