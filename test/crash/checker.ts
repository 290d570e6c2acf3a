/** From what the senders and receivers saw to what the hub did wrong. Pure: no clock, no files, no network. */
import { checkClaims } from './claims.ts'
import { gather, wasRejected, type Facts, type Received, type Story, type Violation } from './facts.ts'
import { type History, LATE } from './history.ts'
import { checkOrder } from './order.ts'

export interface Figures {
  readonly pushes: number
  readonly requests: number
  readonly kills: number
  /** pushes with a 2xx that accepted somebody */
  readonly accepted: number
  /** (push, name) pairs that were accepted */
  readonly pairs: number
  /** pushes without any answer: free to arrive or not */
  readonly unknown: number
  /** answers that came when the power had been cut: they count as none */
  readonly late: number
  readonly refused: number
  readonly copies: number
  readonly duplicates: number
  readonly dupAfterOk: number
  readonly worstForgotten: number
  readonly forgedAcks: number
  /** replies by the word they said of a name */
  readonly words: Readonly<Record<string, number>>
  /** milliseconds from spawn to listening, of the starts that follow a kill */
  /** starts that found the end of a journal torn, and said so */
  readonly torn: number
  readonly restart: { readonly p50: number; readonly max: number }
  /** clean stops, the one at the end among them, and the sockets that they closed */
  readonly stops: { readonly count: number; readonly p50: number; readonly max: number; readonly goodbyes: number }
}

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly figures: Figures
}

const MID = /^\d{13}$/
/** what a hub that stops closes its sockets with */
const RESTARTING = 1012
const KNOWN_WORDS = new Set(['no', 'ready', 'wait', 'ok', 'failed', 'expired', 'full'])

/**
 * Judges a history.
 * @param window how many copies of one message the hub may have in flight to one receiver
 * @param forgettable how many acks of one receiver may be lost by one kill
 */
export function check(history: History, window = 1, forgettable = window): Verdict {
  const facts = gather(history)
  const { violations: claims, dupAfterOk, worstForgotten } = checkClaims(history, window, forgettable)
  const violations = [
    ...checkLoss(facts),
    ...checkFrames(history, facts),
    ...checkMids(facts),
    ...checkReplies(history),
    ...checkOrder(facts),
    ...claims,
    ...checkHub(history),
  ]
  return { violations, figures: { ...count(history, facts), dupAfterOk, worstForgotten } }
}

/** An accepted pair is received at least once. */
function checkLoss({ stories }: Facts): Violation[] {
  const found: Violation[] = []
  for (const { push, accepted, reached, mids } of stories.values()) {
    for (const name of accepted) {
      if (!reached.has(name)) found.push({ kind: 'lost', what: `${push.id} (${[...mids].join()}) for ${name}` })
    }
  }
  return found
}

/** A frame is one that was pushed, whole, for this receiver, and not refused. */
function checkFrames({ events }: History, { stories }: Facts): Violation[] {
  const found: Violation[] = []
  for (const event of events) {
    if (event.type !== 'receive') continue
    const story = stories.get(event.text)
    const got = `${event.name} got ${event.text} (${event.mid})`
    if (story === undefined || story.requests === 0) {
      found.push({ kind: 'phantom', what: `${got}, which nobody sent` })
    } else found.push(...checkFrame(event, story, got))
  }
  return found
}

function checkFrame(frame: Received, story: Story, got: string): Violation[] {
  const { push } = story
  if (!push.names.includes(frame.name)) {
    return [{ kind: 'wrongTarget', what: `${got}, which was for ${push.names.join()}` }]
  }
  if (frame.sendType !== push.sendType || frame.target !== push.target || !MID.test(frame.mid)) {
    return [{ kind: 'corrupt', what: `${got} as ${frame.sendType} for ${frame.target}` }]
  }
  if (wasRejected(story, frame.name)) {
    return [{ kind: 'rejectedDelivered', what: `${got}, of which ${push.pusher} was told that it was refused` }]
  }
  return []
}

/** One push, one mid; one mid, one push. */
function checkMids({ stories }: Facts): Violation[] {
  const found: Violation[] = []
  const owners = new Map<string, string>()
  for (const { push, mids } of stories.values()) {
    if (mids.size > 1) found.push({ kind: 'twoMids', what: `${push.id} is known as ${[...mids].join(' and ')}` })
    for (const mid of mids) {
      const owner = owners.get(mid)
      if (owner !== undefined) found.push({ kind: 'midReuse', what: `${owner} and ${push.id} are both ${mid}` })
      owners.set(mid, push.id)
    }
  }
  return found
}

/** A reply lists exactly the recipients, each with a word that is documented and not `no`: all exist. */
function checkReplies({ pushes, events }: History): Violation[] {
  const found: Violation[] = []
  for (const event of events) {
    if (event.type !== 'reply') continue
    const names = pushes.get(event.push)?.names ?? []
    const listed = Object.keys(event.states)
    if (listed.toSorted().join() !== names.toSorted().join()) {
      const what = `the reply to ${event.push} lists ${listed.join() || 'nobody'} instead of ${names.join()}`
      found.push({ kind: 'groupOmitted', what })
    }
    if (!MID.test(event.mid)) found.push({ kind: 'badReply', what: `${event.push} got the mid "${event.mid}"` })
    for (const [name, state] of Object.entries(event.states)) {
      const what = `the reply to ${event.push} says ${name}: ${state}`
      if (state === 'no') found.push({ kind: 'forgotten', what })
      else if (!KNOWN_WORDS.has(state)) found.push({ kind: 'badReply', what })
    }
  }
  return found
}

function checkHub({ events }: History): Violation[] {
  const found: Violation[] = []
  const stopping = new Set<number>()
  for (const event of events) {
    if (event.type === 'stop') stopping.add(event.life)
    if (event.type === 'closed' && stopping.has(event.life) && event.code !== RESTARTING) {
      found.push({ kind: 'badGoodbye', what: `${event.name} was closed with ${event.code} by a hub that stopped` })
    }
    if (event.type === 'exit') found.push({ kind: 'selfExit', what: `start ${event.life}: ${event.why}` })
    if (event.type === 'nonsense') found.push({ kind: 'nonsense', what: event.what })
  }
  return found
}

function count(history: History, { stories, copies }: Facts): Omit<Figures, 'dupAfterOk' | 'worstForgotten'> {
  const all = [...stories.values()]
  const words: Record<string, number> = {}
  const starts: number[] = []
  const stops: number[] = []
  const totals = { kills: 0, late: 0, torn: 0, forgedAcks: 0 }
  let goodbyes = 0
  for (const event of history.events) {
    if (event.type === 'kill') totals.kills++
    if (event.type === 'forge') totals.forgedAcks++
    if (event.type === 'unknown' && event.why === LATE) totals.late++
    if (event.type === 'start' && event.torn > 0) totals.torn++
    if (event.type === 'start' && event.life > 1) starts.push(event.ms)
    if (event.type === 'stopped') stops.push(event.ms)
    if (event.type === 'closed' && event.code === RESTARTING) goodbyes++
    if (event.type !== 'reply') continue
    for (const state of Object.values(event.states)) words[state] = (words[state] ?? 0) + 1
  }
  return {
    ...totals,
    pushes: all.length,
    requests: sum(all, (story) => story.requests),
    accepted: sum(all, (story) => Number(story.accepted.size > 0)),
    pairs: sum(all, (story) => story.accepted.size),
    unknown: sum(all, (story) => Number(story.requests > 0 && story.replies + story.refusals === 0)),
    refused: sum(all, (story) => Number(story.replies === 0 && story.refusals > 0)),
    copies,
    duplicates: copies - sum(all, (story) => story.reached.size),
    words,
    restart: spread(starts),
    stops: { count: stops.length, ...spread(stops), goodbyes },
  }
}

/** The middle and the highest of some milliseconds, as whole ones. */
function spread(times: readonly number[]): { p50: number; max: number } {
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), max: Math.round(sorted.at(-1) ?? 0) }
}

function sum<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((total, item) => total + measure(item), 0)
}
