/** How long a checkpoint holds up the event loop, and how long a start takes. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Figures } from './load.ts'

const LOAD = new URL('./load.ts', import.meta.url).pathname
/** 50 on a machine of its own */
const MOST_BLOCKED_MS = 250
const MOST_OPEN_MS = 1_000

test.each([
  ['a backlog of 20,000 messages', 'backlog', 20_000],
  ['a message for 100,000 members', 'members', 100_000],
  ['100,000 messages that nobody waits for', 'reopen', 100_000],
])('%s: the event loop goes on, and the next start is short', async (name, what, count) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', LOAD, what, String(count)])
  const figures = JSON.parse(stdout) as Figures
  const { checkpointMs, blockedMs, openMs } = figures
  process.stdout.write(
    `${name}: checkpoint ${checkpointMs.toFixed()} ms, event loop held up ${blockedMs.toFixed()} ms, start ${openMs.toFixed()} ms\n`,
  )
  expect(blockedMs).toBeLessThan(MOST_BLOCKED_MS)
  expect(openMs).toBeLessThan(MOST_OPEN_MS)
})
