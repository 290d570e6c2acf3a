import { createServer } from 'node:net'
import type { Random } from './random.ts'

/** below those that the system gives to connections, so that none is taken between two lives of a hub */
const FIRST = 20_000
const LAST = 32_000

export async function freePort(chance: Random): Promise<number> {
  for (;;) {
    const port = chance.between(FIRST, LAST)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
