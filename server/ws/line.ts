/** How packets leave over one socket, and how it ends. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Connection } from '../hub/hub.ts'
import { count } from '../ground/tally.ts'
import type { SocketOptions } from './connection.ts'
import { textFrame } from './frame.ts'

const CLOSE_GRACE_MS = 2_000

/** There is one for each socket: plain fields, no closures. */
export class Line implements Connection {
  readonly #socket: WebSocket
  readonly #stream: Duplex
  readonly #options: SocketOptions
  #heardBytes = 0
  #cancelGrace: (() => void) | null = null

  constructor(socket: WebSocket, stream: Duplex, options: SocketOptions) {
    this.#socket = socket
    this.#stream = stream
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN
  }

  /** Past ws, which would write the head of a frame and its text one by one and build the head for each client. */
  send(text: Buffer): void {
    if (this.isOpen) this.#stream.write(textFrame(text))
  }

  batch(write: () => void): void {
    this.#stream.cork()
    try {
      write()
    } finally {
      this.#stream.uncork()
    }
  }

  buffered(): number {
    return this.#socket.bufferedAmount
  }

  /** A client that does not answer the close is cut off. Acks that were on their way still count. */
  close(code: number, reason: string): void {
    const { clock, hub } = this.#options
    if (this.#cancelGrace === null) count(hub.meters.closed, code)
    this.#socket.close(code, reason)
    this.#cancelGrace ??= clock.after(CLOSE_GRACE_MS, () => this.#socket.terminate())
  }

  /** The socket is gone. */
  gone(): void {
    this.#cancelGrace?.()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Asks for a sign of life, and cuts off who gave none since it was asked last: be it only the pong. */
  ping(): void {
    const bytes = this.#stream instanceof Socket ? this.#stream.bytesRead : 0
    if (bytes === this.#heardBytes) {
      this.#socket.terminate()
      return
    }
    this.#heardBytes = bytes
    this.#socket.ping()
  }
}
