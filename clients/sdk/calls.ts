/** Packets that the hub answers: pushes and confirms, matched to their answers and sent again where that is safe. */
import { CarillonError } from './error.ts'
import { type Incoming, pushData } from './packets.ts'
import { randomKey, withPatience } from './retry.ts'
import type { Clear, Push, PushOptions, Receipt, SdkClock } from './types.ts'

/** close code of a frame beyond the hub's limit (RFC 6455 section 7.4.1) */
const TOO_LARGE = 1009

export interface Calls {
  push(push: Push, options?: PushOptions): Promise<Receipt>
  confirm(mid: string): Promise<Clear>
  /** Takes what may be an answer. */
  answer(packet: Incoming): void
  /** The line is up: what waited for it goes out. */
  up(): void
  /** The line broke, with this close code. */
  down(code: number): void
  /** There will be no other line. */
  end(): void
}

export interface CallsOptions {
  /** false: there is no line */
  send(frame: string): boolean
  readonly clock: SdkClock
  readonly random: () => number
}

interface Call<Answer> {
  /** of its frame, in UTF-16 units */
  readonly size: number
  /** of a confirm */
  readonly mid: string
  resolve(answer: Answer): void
  reject(error: CarillonError): void
}

export function createCalls({ send, clock, random }: CallsOptions): Calls {
  const pushes = new Map<string, Call<Receipt>>()
  const confirms = new Map<string, Call<Clear>>()
  const pauses = new Set<() => void>()
  let count = 0
  let ended = false

  function ask<Answer>(calls: Map<string, Call<Answer>>, cmd: string, data: object, mid = ''): Promise<Answer> {
    count += 1
    const id = String(count)
    const frame = JSON.stringify({ cmd, id, data })
    return new Promise((resolve, reject) => {
      if (send(frame)) calls.set(id, { size: frame.length, mid, resolve, reject })
      else reject(ended ? closed() : new CarillonError('offline', 'there is no line to the hub'))
    })
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        cancel()
        pauses.delete(go)
        resolve()
      }
      const cancel = clock.after(ms, go)
      pauses.add(go)
    })
  }

  function resume(): void {
    for (const go of pauses) go()
  }

  function rejectAll(errorOf: (size: number) => CarillonError): void {
    const open = [...pushes.values(), ...confirms.values()]
    pushes.clear()
    confirms.clear()
    for (const { size, reject } of open) reject(errorOf(size))
  }

  function refused({ id, text, error }: Incoming & { cmd: 'INFO' }): void {
    const call = pushes.get(id) ?? confirms.get(id)
    pushes.delete(id)
    confirms.delete(id)
    call?.reject(new CarillonError(error ?? 'unexpected', text))
  }

  return {
    async push(push, { key, retryForMs = 0 } = {}) {
      const data = pushData(push, key ?? (retryForMs > 0 ? randomKey() : undefined))
      const patience = { forMs: retryForMs, clock, random, pause }
      return withPatience(() => ask(pushes, 'MESSAGE', data), patience)
    },
    // a second confirm is answered like the first: it may be said as often as it takes
    confirm: (mid) =>
      withPatience(() => ask(confirms, 'CONFIRM', { mid }, mid), { forMs: Infinity, clock, random, pause }),
    answer(packet) {
      if (packet.cmd === 'INFO') refused(packet)
      if (packet.cmd === 'MESSAGE_REPLY') {
        pushes.get(packet.id)?.resolve(packet.receipt)
        pushes.delete(packet.id)
      }
      if (packet.cmd !== 'CLEAR') return
      for (const [id, { mid, resolve }] of confirms) {
        if (mid !== packet.clear.mid) continue
        confirms.delete(id)
        resolve(packet.clear)
      }
    },
    up: resume,
    down(code) {
      const largest = Math.max(...[...pushes.values()].map(({ size }) => size))
      rejectAll((size) =>
        code === TOO_LARGE && size === largest
          ? new CarillonError('too-large', 'the push is larger than a frame of this hub may be')
          : new CarillonError('lost', 'the line broke before the hub answered'),
      )
    },
    end() {
      ended = true
      rejectAll(closed)
      resume()
    },
  }
}

function closed(): CarillonError {
  return new CarillonError('closed', 'the connection is closed')
}
