/** What a hub could do wrong with what goes out, as changes to what it writes. */
import type { LazyOp, Op } from '../../../server/store/store.ts'

type Written = Op | LazyOp
/** what is written in its place; nothing: it is left out */
type Fault = (op: Written) => readonly Written[]

const isAlarm = (op: Written) => op.op === 'accept' && op.message.from.method === 'hub'

/** By name. For the proof that the loop finds such a hub. */
export const FAULTS: ReadonlyMap<string, Fault> = new Map<string, Fault>([
  /** tells nobody of what failed */
  ['silent', (op) => (isAlarm(op) ? [] : [op])],
  /** tells of it twice */
  ['shrill', (op) => (isAlarm(op) ? [op, op] : [op])],
  /** writes an attempt down after the call only */
  ['traceless', (op) => (op.op === 'attempt' && op.attempt.endedAt === null ? [] : [op])],
  /** forgets what came of an attempt */
  ['amnesic', (op) => (op.op === 'attempt' && op.attempt.endedAt !== null ? [] : [op])],
  /** takes every attempt for a success before it is made */
  [
    'boastful',
    (op) => (op.op === 'attempt' ? [{ ...op, attempt: { ...op.attempt, endedAt: 1, outcome: 'accepted' } }] : [op]),
  ],
  /** says nothing of messages that may be there twice */
  ['discreet', (op) => (op.op === 'attempt' ? [{ ...op, attempt: { ...op.attempt, maybeDuplicate: false } }] : [op])],
  /** sends past what has to be tried again */
  ['jumbled', (op) => [op.op === 'step' ? { ...op, holds: false } : op.op === 'accept' ? { ...op, holding: [] } : op]],
  /** takes a repeat for another push */
  ['repetitive', (op) => [op.op === 'accept' ? without(op, 'once') : op]],
])

function without<T extends object>(op: T, key: keyof T): T {
  const { [key]: _, ...rest } = op
  return rest as T
}
