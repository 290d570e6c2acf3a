/**
 * Keeps a network namespace alive, and builds bridges in it as it is told: `FROM TO`, a line each, in JSON.
 * `node --import tsx gatekeeper.ts`; it ends with its stdin.
 */
import { createInterface } from 'node:readline'
import { type Place, startBridge } from './bridge.ts'

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [from, to] = JSON.parse(line) as [Place, Place]
  await startBridge(from, to)
  process.stdout.write('built\n')
}
process.exit(0)
