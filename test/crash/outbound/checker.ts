/** From what pushers and vendors saw, and what the hub says in the end, to what it did wrong. Pure. */
import { targets as cast, type Target } from './cast.ts'
import { checkCopies, reachedBy } from './copies.ts'
import { type Facts, gather, type Story, type Violation, wasRefused } from './facts.ts'
import type { History, Word } from './history.ts'
import { checkOrder } from './order.ts'
import { checkNotifications, checkOutcomes } from './outcomes.ts'

export interface Figures {
  readonly pushes: number
  readonly kills: number
  readonly accepted: number
  /** without any answer: free to arrive or not */
  readonly unknown: number
  readonly refused: number
  /** that vendors read */
  readonly requests: number
  /** what vendors said to them */
  readonly said: Readonly<Record<Word, number>>
  /** requests that a kill left without an answer */
  readonly cut: number
  /** pairs of a push and an endpoint that has it */
  readonly reached: number
  readonly duplicates: number
  /** tasks by status */
  readonly tasks: Readonly<Record<string, number>>
  readonly notifications: number
  /** ms from spawn to listening, of the starts that follow a kill */
  readonly restart: { readonly p50: number; readonly max: number }
}

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly figures: Figures
}

/** Judges a history. @param cast who is pushed to */
export function check(history: History, targets: readonly Target[] = cast): Verdict {
  const facts = gather(history)
  const byName = new Map(targets.map((target) => [target.name, target]))
  const { violations: copies, duplicates } = checkCopies(facts, byName)
  const violations = [
    ...checkOutcomes(facts, byName),
    ...(history.said ? checkNotifications(facts, history.said.notifications) : []),
    ...copies,
    ...checkOrder(facts, byName),
    ...checkHub(history),
  ]
  return { violations, figures: { ...count(history, facts), duplicates } }
}

function checkHub({ events }: History): Violation[] {
  const found: Violation[] = []
  for (const event of events) {
    if (event.type === 'exit') found.push({ kind: 'selfExit', what: `start ${event.life}: ${event.why}` })
    if (event.type === 'nonsense') found.push({ kind: 'nonsense', what: event.what })
  }
  return found
}

function count(history: History, { stories, calls, kills }: Facts): Omit<Figures, 'duplicates'> {
  const all = [...stories.values()]
  const of = (holds: (story: Story) => boolean) => all.filter((story) => story.sends > 0 && holds(story)).length
  const said = { yes: 0, later: 0, never: 0, nothing: 0 }
  for (const call of calls) said[call.said ?? 'nothing'] += 1
  const tasks: Record<string, number> = {}
  for (const { status } of history.said?.tasks.values() ?? []) tasks[status] = (tasks[status] ?? 0) + 1
  const starts = history.events.flatMap((event) => (event.type === 'start' && event.life > 1 ? [event.ms] : []))
  starts.sort((a, b) => a - b)
  const killed = new Map(kills.map(({ life, at }) => [life, at]))
  return {
    pushes: all.length,
    kills: kills.length,
    accepted: of(({ ids }) => ids.size > 0),
    unknown: of((story) => story.ids.size === 0 && !wasRefused(story)),
    refused: of(wasRefused),
    requests: calls.length,
    said,
    cut: calls.filter(({ said, saidAt, life }) => said === 'nothing' && saidAt >= (killed.get(life) ?? Infinity))
      .length,
    reached: all.reduce((sum, story) => sum + reachedBy(story), 0),
    tasks,
    notifications: history.said?.notifications.length ?? 0,
    restart: { p50: Math.round(starts[Math.floor(starts.length / 2)] ?? 0), max: Math.round(starts.at(-1) ?? 0) },
  }
}
