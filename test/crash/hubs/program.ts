import { parseArgs } from 'node:util'
import { readConfig } from '../../../server/config.ts'
import { startServer } from '../../../server/server.ts'
import type { Store } from '../../../server/store/store.ts'

/** A hub as `server/main.ts` runs it, with the same flags, on a store of the test's choice. */
export async function runHub(storeIn: (dataDir: string) => Store | Promise<Store>): Promise<void> {
  const options = {
    config: { type: 'string' },
    data: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string' },
  } as const
  const { values } = parseArgs({ options })
  const flags = { ...values, port: Number(values.port) }
  const { config } = await readConfig({ flags, env: {}, cwd: process.cwd() })
  const server = await startServer(config, { store: await storeIn(config.data) })
  process.once('SIGTERM', () => void server.close())
  process.stdout.write(`${JSON.stringify({ msg: 'listening', url: server.url })}\n`)
}
