/** Whether the hub can listen, or who does so already. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import * as z from 'zod'
import type { Config } from '../../config.ts'
import { fault, type Finding, ok, reasonOf } from './finding.ts'

const ASK_MS = 3_000
const healthSchema = z.looseObject({ status: z.string(), version: z.string(), reason: z.string().nullable() })

export async function ports({ http, websocket }: Pick<Config, 'http' | 'websocket'>): Promise<readonly Finding[]> {
  const own = websocket.port === undefined || websocket.port === http.port ? [] : [websocket.port]
  return Promise.all([http.port, ...own].map((port) => look(http.host, port)))
}

async function look(host: string | undefined, port: number): Promise<Finding> {
  const place = `${host ?? 'all interfaces'}, port ${port}`
  const server = createServer()
  try {
    server.listen(host === undefined ? { port } : { host, port })
    await once(server, 'listening')
    return ok('port', `${place} is free`)
  } catch (error) {
    const hub = reasonOf(error) === 'EADDRINUSE' ? await hubAt(host, port) : null
    return hub ?? fault('port', `${place}: ${reasonOf(error)}`)
  } finally {
    server.close()
  }
}

/** What a hub that runs there says of itself. */
async function hubAt(host: string | undefined, port: number): Promise<Finding | null> {
  const name = host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  try {
    const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/health`
    const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) })
    const { status, version, reason } = healthSchema.parse(await answer.json())
    if (status === 'ok') return ok('port', `a hub runs on port ${port}, version ${version}, and is well`)
    return fault('port', `a hub runs on port ${port} and accepts nothing: ${reason ?? status}`)
  } catch {
    return null
  }
}
