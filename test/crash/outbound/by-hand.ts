/** Histories that are written by hand, for tests of the checker. */
import type { Strategy, Target } from './cast.ts'
import { check } from './checker.ts'
import type { Event, Notification, Push, Result, Task, Word } from './history.ts'
import { titleOf } from './message.ts'

const robots = (name: string, strategy: Strategy | null): Target => ({
  name,
  strategy,
  isClient: false,
  platforms: [
    { channel: 'feishu', endpoints: [`${name}-f0`, `${name}-f1`] },
    { channel: 'dingtalk', endpoints: [`${name}-d0`] },
  ],
})
const hook: Target = {
  name: 'hook',
  strategy: null,
  isClient: true,
  platforms: [{ channel: 'webhook', endpoints: ['hook'] }],
}
const cast = [
  robots('one', 'failover'),
  robots('every', 'all'),
  robots('each', 'webhook_failover'),
  robots('mix', 'mixed'),
  robots('plain', null),
  hook,
]

/** What a history consists of, beside its events. */
interface Rest {
  readonly tasks?: Readonly<Record<string, Task>>
  readonly notifications?: readonly Notification[]
  /** in place of one push, `p0x1` to `one` */
  readonly pushes?: readonly Push[]
}

export const push = (recipient = 'one', id = 'p0x1', more: Partial<Push> = {}): Push => ({
  id,
  recipient,
  door: 'api',
  strategy: null,
  key: null,
  fault: null,
  ...more,
})

export function judge(events: readonly Event[], { tasks = {}, notifications = [], pushes = [push()] }: Rest) {
  const said = { tasks: new Map(Object.entries(tasks)), notifications }
  return check({ pushes: new Map(pushes.map((one) => [one.id, one])), events, said }, cast)
}

/** What is wrong with it, each kind once. */
export function kinds(events: readonly Event[], rest: Rest): string[] {
  return [...new Set(judge(events, rest).violations.map(({ kind }) => kind))].toSorted()
}

export const send = (id = 'p0x1'): Event => ({ type: 'send', push: id })
export const accepted = (id = 'p0x1', task = 't1', mid = '1000000000001'): Event => ({
  type: 'accepted',
  push: id,
  task,
  mid,
})
export const refused = (id = 'p0x1'): Event => ({ type: 'refused', push: id, status: 503 })
export const unknown = (id = 'p0x1'): Event => ({ type: 'unknown', push: id, why: 'ECONNRESET' })
export const kill = (life: number, at = 0): Event => ({ type: 'kill', life, at })
export const start = (life: number): Event => ({ type: 'start', life, ms: 100 * life })

interface Asked {
  readonly id?: string
  readonly mid?: string
  readonly life?: number
  readonly took?: boolean
  readonly at?: number
}

let calls = 0
/** A request and what was said to it. */
export function ask(
  endpoint: string,
  said: Word,
  { id = 'p0x1', mid, life = 1, took = said === 'yes', at = 0 }: Asked = {},
): Event[] {
  const call = (calls += 1)
  return [
    { type: 'arrive', call, endpoint, push: id, mid: mid ?? null, took, life },
    { type: 'answer', call, said, at },
  ]
}

export const task = (status: string, ...results: Result[]): Task => ({ status, results })
export const on = (webhook: string, status: string, maybeDuplicate?: boolean): Result => ({
  webhook,
  status,
  message: '',
  maybeDuplicate,
})
export const about = (of = 't1', id = 'p0x1', status = 'unread'): Notification => ({
  task: of,
  title: titleOf(id),
  status,
})

/** Everything failed for good, everybody was told. */
export const dead = [...ask('one-f0', 'never'), ...ask('one-f1', 'never'), ...ask('one-d0', 'never')]
export const deadTask = task('failed', on('one-f0', 'failed'), on('one-f1', 'failed'), on('one-d0', 'failed'))
