/**
 * The hub on a store that answers first and writes a moment later: what no durable store may do. For the
 * proof that the crash loop finds such a one.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../server/ground/clock.ts'
import { createMemoryStore } from '../../../server/store/memory.ts'
import type { LazyOp, Op, Store, Written } from '../../../server/store/store.ts'
import { runHub } from './program.ts'

const LATE_MS = 200

await runHub(hastyStore)

/** Memory, and a log of what was written to it: the same writes at the same times give the same state. */
async function hastyStore(dir: string): Promise<Store> {
  let at = 0
  const memory = createMemoryStore({ clock: { ...systemClock, now: () => at } })
  const log = join(dir, 'writes.log')
  mkdirSync(dir, { recursive: true })
  for (const written of existsSync(log) ? readWrites(log) : []) {
    at = written.at
    await memory.write(written.ops, 'sync')
  }
  function write(ops: readonly (Op | LazyOp)[]): Promise<Written> {
    at = Date.now()
    const line = `${JSON.stringify({ at, ops })}\n`
    setTimeout(() => appendFileSync(log, line), LATE_MS)
    return memory.write(ops, 'sync')
  }
  return { ...memory, write }
}

/** Each line is there whole or not at all. */
function readWrites(log: string): { at: number; ops: Op[] }[] {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  return lines.map((line): { at: number; ops: Op[] } => JSON.parse(line))
}
