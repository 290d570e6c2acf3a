/** A push provider on this machine: looks at each request as the real one would, then answers as it is told. */
import { type Received, startReceiver } from './receiver.ts'

export interface VendorAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** `silent` never answers, `reset` cuts the connection. */
export type Behaviour = VendorAnswer | 'silent' | 'reset' | ((request: Received, count: number) => VendorAnswer)

export interface VendorRules {
  /** its answer to a request that it takes */
  readonly ok: VendorAnswer
  /** what the real one would refuse a request for, or null; an exception is a refusal too */
  check(request: Received, now: number): string | null
  /** answers to requests that are no messages, such as one for a token; null where it is a message */
  aux?(request: Received): VendorAnswer | null
}

export interface Vendor {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** in order, those of `aux` left out */
  readonly messages: readonly Received[]
  /** why it refused, a line for each message that it did not take */
  readonly complaints: readonly string[]
  /** what it does with messages that it has no complaint about */
  answer: Behaviour
  /** Waits for this many messages in all. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** @param now ms since epoch, as its own clock shows them */
export async function startVendor({ ok, check, aux }: VendorRules, now: () => number): Promise<Vendor> {
  const messages: Received[] = []
  const complaints: string[] = []
  const waiting = new Set<() => void>()

  const receiver = await startReceiver((response, request) => {
    const write = ({ status, headers = {}, body }: VendorAnswer) => void response.writeHead(status, headers).end(body)
    const side = aux?.(request) ?? null
    if (side !== null) return write(side)
    messages.push(request)
    for (const look of waiting) look()
    const complaint = complaintOf(() => check(request, now()))
    if (complaint !== null) {
      complaints.push(complaint)
      return write({ status: 400, body: complaint })
    }
    const { answer } = vendor
    if (answer === 'silent') return
    if (answer === 'reset') return void response.socket?.resetAndDestroy()
    write(typeof answer === 'function' ? answer(request, messages.length) : answer)
  })

  const vendor: Vendor = {
    url: receiver.url,
    messages,
    complaints,
    answer: ok,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (messages.length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    close: () => receiver.close(),
  }
  return vendor
}

function complaintOf(check: () => string | null): string | null {
  try {
    return check()
  } catch (error) {
    return String(error)
  }
}
