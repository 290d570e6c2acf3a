/** CPU and memory as Linux counts them in /proc. */
import { readFileSync } from 'node:fs'

/** clock ticks a second; the same on every Linux that Node runs on */
const TICKS = 100
const KIB = 1024

/** CPU seconds used since each began. */
export interface Usage {
  readonly at: number
  /** user and system time of all threads of the server */
  readonly server: number
  readonly generator: number
  /** of the whole machine, whoever used it */
  readonly machine: number
}

export function usageNow(serverPid: number): Usage {
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now() / 1_000,
    server: cpuOf(serverPid),
    generator: (user + system) / 1e6,
    machine: cpuOfMachine(),
  }
}

/** Loads between two moments as parts of one core; `other` was used by neither side. */
export function loads(before: Usage, after: Usage): { server: number; generator: number; other: number } {
  const seconds = after.at - before.at
  const server = (after.server - before.server) / seconds
  const generator = (after.generator - before.generator) / seconds
  return { server, generator, other: (after.machine - before.machine) / seconds - server - generator }
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * KIB
}

/** The name of the program stands in brackets and may hold anything, so fields are counted after it. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

function cpuOfMachine(): number {
  const line = /^cpu +(.+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.split(' ').map(Number)
  return (user + nice + system + irq + softIrq + steal) / TICKS
}
