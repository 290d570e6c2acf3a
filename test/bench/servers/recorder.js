/**
 * Loaded into a server with `--import`: how long its event loop was blocked, garbage collection included. On
 * SIGUSR2 it writes what it saw to the file named by BENCH_LOOP, and begins anew.
 */
import { renameSync, writeFileSync } from 'node:fs'

const PERIOD_MS = 5
/** a delay that is told with its time */
const STALL_MS = 25

const file = process.env.BENCH_LOOP ?? ''
/** how much later than due each look came, in ms */
let delays = []
let stalls = []
/** the most CPU used between two looks, in ms */
let maxCpu = 0
let last = performance.now()
let cpu = process.cpuUsage()

function look() {
  const now = performance.now()
  const used = process.cpuUsage()
  const ms = Math.max(0, now - last - PERIOD_MS)
  // of all threads: where it is much less than `ms`, others had the core
  const cpuMs = (used.user + used.system - cpu.user - cpu.system) / 1_000
  delays.push(ms)
  maxCpu = Math.max(maxCpu, cpuMs)
  if (ms >= STALL_MS) stalls.push({ at: Date.now() - ms, ms, cpuMs })
  last = now
  cpu = used
}

function report() {
  look()
  const sorted = delays.toSorted((a, b) => a - b)
  const max = sorted.at(-1) ?? 0
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? max
  writeFileSync(`${file}.tmp`, JSON.stringify({ max, p99, maxCpu, stalls }))
  renameSync(`${file}.tmp`, file)
  delays = []
  stalls = []
  maxCpu = 0
}

setInterval(look, PERIOD_MS).unref()
process.on('SIGUSR2', report)
