/**
 * Runs in every test file: after its last hook nothing may be left open. A socket, server, timer or child
 * process that the file did not close turns the file red.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll } from 'vitest'

/** closing sockets and ended children need a moment to be gone */
const PATIENCE_MS = 3_000
const POLL_MS = 20
const WATCHED = new Set([
  'FSEventWrap',
  'MessagePort',
  'PipeWrap',
  'ProcessWrap',
  'TCPServerWrap',
  'TCPSocketWrap',
  'TLSWrap',
  'Timeout',
  'UDPWrap',
])

const before = countOpen()

afterAll(async () => {
  const until = Date.now() + PATIENCE_MS
  while (leftOpen().length > 0 && Date.now() < until) await sleep(POLL_MS)
  const left = leftOpen()
  if (left.length > 0) throw new Error(`this test file leaves handles open: ${left.join(', ')}`)
})

function leftOpen(): string[] {
  return [...countOpen()].filter(([type, count]) => count > (before.get(type) ?? 0)).map(([type]) => type)
}

/** What keeps the process alive now, by type. */
function countOpen(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const type of process.getActiveResourcesInfo()) {
    if (WATCHED.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1)
  }
  return counts
}
