import { connect, type Socket } from 'node:net'

/** Every socket reads into the same bytes: a chunk is used up before the next read. */
const shared = Buffer.allocUnsafe(64 * 1024)
const sockets = new Set<Socket>()

/**
 * A TCP socket to 127.0.0.1 without Nagle's delay. A socket that ends or fails, and whatever `onChunk`
 * throws, ends the generator: a load with a hole in it measures nothing.
 * @param onChunk its argument is a view that is good until the call returns
 * @param onEnd called instead where the server may close or reset the connection
 * @param from the address of this side
 */
export function openSocket(
  port: number,
  onChunk: (chunk: Buffer) => void,
  onEnd?: () => void,
  from?: string,
): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      ...(from === undefined ? {} : { localAddress: from }),
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback(length) {
          onChunk(shared.subarray(0, length))
          return true
        },
      },
    })
    sockets.add(socket)
    socket.once('connect', () => resolve(socket))
    socket.once('close', () => sockets.delete(socket))
    if (onEnd) socket.on('error', () => {}).once('close', onEnd)
    else socket.once('end', throwEnd)
  })
}

/** The measuring is over. */
export function closeSockets(): void {
  for (const socket of sockets) socket.destroy()
}

function throwEnd(): void {
  throw new Error('the server closed a connection')
}
