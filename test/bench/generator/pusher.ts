/** Keep-alive HTTP connections. */
import { responseReader } from './responses.ts'
import { openSocket } from './socket.ts'

/** Servers close connections that rest; this is long before they do. */
const REST_MS = 2_000

/** One connection, for one request at a time. */
export interface Pusher {
  /** A whole request, as it goes over the wire. */
  write(request: string): void
  close(): void
}

export interface Answer {
  readonly status: number
  readonly body: string
  /** from writing the request to reading the whole answer */
  readonly ms: number
}

/** As many connections as there are requests at once. */
export interface Pool {
  request(request: string): Promise<Answer>
  /** Once all were answered. */
  close(): void
}

export async function openPusher(port: number, onReply: (status: number, body: string) => void): Promise<Pusher> {
  const responses = responseReader(onReply)
  const socket = await openSocket(port, (chunk) => responses.read(chunk))
  return { write: (request) => void socket.write(request), close: () => void socket.destroy() }
}

export function createPool(port: number): Pool {
  const idle: Member[] = []

  async function open(): Promise<Member> {
    const pusher = await openPusher(port, (status, body) => member.answer(status, body))
    const member: Member = { pusher, answer: () => {}, rest: null }
    return member
  }

  function layBy(member: Member): void {
    idle.push(member)
    member.rest = setTimeout(() => {
      idle.splice(idle.indexOf(member), 1)
      member.pusher.close()
    }, REST_MS).unref()
  }

  return {
    close() {
      for (const { pusher, rest } of idle.splice(0)) {
        if (rest) clearTimeout(rest)
        pusher.close()
      }
    },

    async request(request) {
      const member = idle.pop() ?? (await open())
      if (member.rest) clearTimeout(member.rest)
      const startedAt = performance.now()
      return new Promise((resolve) => {
        member.answer = (status, body) => {
          layBy(member)
          resolve({ status, body, ms: performance.now() - startedAt })
        }
        member.pusher.write(request)
      })
    },
  }
}

interface Member {
  readonly pusher: Pusher
  answer: (status: number, body: string) => void
  /** runs while it is idle */
  rest: NodeJS.Timeout | null
}

export function getRequest(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
}

export function postRequest(path: string, value: unknown): string {
  const body = JSON.stringify(value)
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
