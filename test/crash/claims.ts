import type { History } from './history.ts'
import type { Violation } from './facts.ts'

/** Whether the word `ok` was true, and how often one more copy followed it. */
export interface Claims {
  readonly violations: Violation[]
  /** copies received after the pusher had read `ok` */
  readonly dupAfterOk: number
  /** the most messages that one crash made the hub forget the ack of, for one receiver */
  readonly worstForgotten: number
}

interface Told {
  readonly at: number
  readonly life: number
  copies: number
}

/**
 * Checks the word `ok`: only the receiver's own ack earns it, and after it the message is not sent again,
 * save a copy in flight or, after a crash, the last `forgettable` acks, which are journalled lazily.
 */
export function checkClaims(history: History, window: number, forgettable: number): Claims {
  const copies = checkCopies(history, window, forgettable)
  return { ...copies, violations: [...checkOk(history), ...copies.violations] }
}

function checkOk({ events }: History): Violation[] {
  const found: Violation[] = []
  const acked = new Set<string>()
  const forged = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'ack') acked.add(`${event.name} ${event.mid}`)
    if (event.type === 'forge') forged.set(event.mid, `${event.by} (${event.way})`)
    if (event.type === 'forge-answer' && event.status < 400 && event.way !== 'http-own-auth') {
      found.push({ kind: 'foreignAck', what: `${event.by}'s ${event.way} was answered ${event.status}` })
    }
    if (event.type !== 'reply') continue
    for (const [name, state] of Object.entries(event.states)) {
      const delivery = `${name} ${event.mid}`
      if (state !== 'ok' || acked.has(delivery)) continue
      const rogue = forged.get(event.mid)
      const what = `${event.push} was told ok for ${name}, who had not acked ${event.mid}`
      found.push(rogue ? { kind: 'foreignAck', what: `${what}; ${rogue} had` } : { kind: 'falseOk', what })
    }
  }
  return found
}

function checkCopies({ events }: History, window: number, forgettable: number): Claims {
  const violations: Violation[] = []
  const told = new Map<string, Told>()
  const opened = new Map<number, number>()
  const forgotten = new Map<string, number>()
  let dupAfterOk = 0

  for (const [at, event] of events.entries()) {
    if (event.type === 'open') opened.set(event.session, at)
    if (event.type === 'reply') {
      for (const [name, state] of Object.entries(event.states)) {
        const delivery = `${name} ${event.mid}`
        if (state === 'ok' && !told.has(delivery)) told.set(delivery, { at, life: event.life, copies: 0 })
      }
    }
    if (event.type !== 'receive') continue
    const ok = told.get(`${event.name} ${event.mid}`)
    if (!ok) continue
    dupAfterOk++
    const copy = `${event.name} got ${event.text} (${event.mid}) again after its pusher was told ok`
    if (event.life > ok.life) {
      // the hub forgot the ack; it owes the message again, and may repeat it until the next ack
      const crash = `${event.name} after start ${event.life}`
      const count = (forgotten.get(crash) ?? 0) + 1
      forgotten.set(crash, count)
      if (count > forgettable) violations.push({ kind: 'dupAfterOk', what: `${copy}: number ${count} of ${crash}` })
      told.delete(`${event.name} ${event.mid}`)
    } else if ((opened.get(event.session) ?? 0) > ok.at) {
      violations.push({ kind: 'dupAfterOk', what: `${copy}, on a connection made later` })
    } else if (++ok.copies > window) {
      violations.push({ kind: 'dupAfterOk', what: `${copy}: copy ${ok.copies}, more than can be in flight` })
    }
  }
  return { violations, dupAfterOk, worstForgotten: Math.max(0, ...forgotten.values()) }
}
