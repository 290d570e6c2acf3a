/** One push as one HTTP request, in all the ways that the hub takes one. */
import { Agent, request as httpRequest } from 'node:http'
import * as z from 'zod'
import type { Push } from './history.ts'
import type { Random } from './random.ts'

/** far above waitTimeout: a hub that lives answers by then */
const ANSWER_MS = 15_000

export const agent = new Agent({ keepAlive: true })

export interface Answer {
  readonly status: number
  readonly mid: string
  readonly body: string
}

interface Request {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const messageReply = z.object({ cmd: z.literal('MESSAGE_REPLY'), data: z.record(z.string(), z.string()) })

/** The states in a 2xx, or null if it is not the documented reply. */
export function readStates(body: string): Readonly<Record<string, string>> | null {
  try {
    return messageReply.parse(JSON.parse(body)).data
  } catch {
    return null
  }
}

/** What every message carries besides its id, so that a damaged one shows. */
export function despOf(id: string): string {
  return `${id};`.repeat(1 + ((id.length * 7 + id.charCodeAt(id.length - 1)) % 160))
}

/** The push as one of the requests that mean the same. */
export function requestOf(push: Push, token: string, chance: Random): Request {
  const fields = { text: push.id, desp: despOf(push.id) }
  const path = `/${encodeURIComponent(push.target)}.${push.sendType === 'group' ? 'group' : 'send'}`
  const headers = {
    authorization: chance.chance(0.5) ? token : `Bearer ${token}`,
    ...(push.key === null ? {} : { 'idempotency-key': push.key }),
  }
  const json = { ...headers, 'content-type': 'application/json' }
  return chance.pick<() => Request>([
    () => ({ method: 'GET', path: `${path}?${new URLSearchParams(fields).toString()}`, headers }),
    () => ({ method: 'POST', path, headers: json, body: JSON.stringify(fields) }),
    () => {
      const data = { sendType: push.sendType, target: push.target, message: fields }
      return { method: 'POST', path: '/', headers: json, body: JSON.stringify({ cmd: 'MESSAGE', data }) }
    },
  ])()
}

/** Sends a request once and reads the answer whole. Throws when there is none, or only half of one. */
export function ask(url: string, { method, path, headers, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${path}`, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const mid = response.headers['x-message-id']
        resolve({ status: response.statusCode ?? 0, mid: typeof mid === 'string' ? mid : '', body: text })
      })
    })
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error(`no answer in ${ANSWER_MS} ms`)))
    request.on('error', reject)
    request.end(body)
  })
}
