/** Carries connections from one address to another: a port of 127.0.0.1, or the path of a Unix socket. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Place = number | string

export interface Bridge {
  /** the port that it listens on; 0 where it has a path */
  readonly port: number
  close(): Promise<void>
}

/** Unix sockets are found by their path from every network of a machine, so two bridges lead from one into another. */
export async function startBridge(from: Place, to: Place): Promise<Bridge> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...placed(to), allowHalfOpen: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => void other.destroy())
      socket.on('close', () => sockets.delete(socket))
      socket.pipe(other)
    }
  })
  server.listen(placed(from))
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function placed(place: Place): { readonly path: string } | { readonly host: string; readonly port: number } {
  return typeof place === 'string' ? { path: place } : { host: '127.0.0.1', port: place }
}
