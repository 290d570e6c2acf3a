/** The process: named as everywhere in Prometheus. There is one event loop in it, however many hubs it runs. */
import { readdir, readFile } from 'node:fs/promises'
import { Tally } from '../../ground/tally.ts'
import { counter, gauge, histogram, type Metric } from './metric.ts'

/** seconds */
const DELAY_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const LOOK_MS = 20
const MAX_FILES = /^Max open files\s+(\d+)/m

export interface ProcessReading {
  /** since the epoch */
  readonly startedS: number
  readonly cpu: { readonly userS: number; readonly systemS: number }
  /** bytes */
  readonly memory: { readonly resident: number; readonly heapUsed: number; readonly heapTotal: number }
  /** null where the system does not say */
  readonly files: { readonly open: number; readonly max: number } | null
  /** seconds that the event loop was late */
  readonly loopDelays: Tally
}

export const processMetrics: readonly Metric[] = [
  gauge('carillon_build_info', ['version', 'node'], ['1, with the versions as labels', '恒为 1，标签为版本'], (now) => [
    [[now.version, process.version], 1],
  ]),
  histogram(
    'carillon_event_loop_delay_seconds',
    [],
    [
      `How late the event loop was, looked at every ${LOOK_MS} ms from the first scrape on`,
      `事件循环的延迟，自首次抓取起每 ${LOOK_MS} 毫秒采样一次`,
    ],
    (now) => now.process.loopDelays,
  ),
  counter(
    'process_cpu_user_seconds_total',
    [],
    ['CPU time of the program', '用户态 CPU 时间'],
    (now) => now.process.cpu.userS,
  ),
  counter(
    'process_cpu_system_seconds_total',
    [],
    ['CPU time of the system for it', '内核态 CPU 时间'],
    (now) => now.process.cpu.systemS,
  ),
  counter('process_cpu_seconds_total', [], ['Both', '两者之和'], ({ process: { cpu } }) => cpu.userS + cpu.systemS),
  gauge(
    'process_start_time_seconds',
    [],
    ['When it started, since the epoch', '启动时间（Unix 时间戳）'],
    (now) => now.process.startedS,
  ),
  gauge(
    'process_resident_memory_bytes',
    [],
    ['Memory that it takes', '占用的物理内存'],
    (now) => now.process.memory.resident,
  ),
  gauge('nodejs_heap_size_used_bytes', [], ['Heap in use', '已使用的堆内存'], (now) => now.process.memory.heapUsed),
  gauge('nodejs_heap_size_total_bytes', [], ['Heap', '堆内存'], (now) => now.process.memory.heapTotal),
  gauge(
    'process_open_fds',
    [],
    ['Open files and sockets', '打开的文件和套接字数'],
    (now) => now.process.files?.open ?? null,
  ),
  gauge('process_max_fds', [], ['How many there may be', '打开文件数上限'], (now) => now.process.files?.max ?? null),
]

let loopDelays: Tally | null = null

export async function readProcess(): Promise<ProcessReading> {
  const { user, system } = process.cpuUsage()
  const { rss: resident, heapUsed, heapTotal } = process.memoryUsage()
  return {
    startedS: performance.timeOrigin / 1_000,
    cpu: { userS: user / 1e6, systemS: system / 1e6 },
    memory: { resident, heapUsed, heapTotal },
    files: await readFiles().catch(() => null),
    loopDelays: (loopDelays ??= watchLoop()),
  }
}

async function readFiles(): Promise<ProcessReading['files']> {
  const limits = await readFile('/proc/self/limits', 'utf8')
  const [, max] = MAX_FILES.exec(limits) ?? []
  const open = await readdir('/proc/self/fd')
  return { open: open.length, max: max === undefined ? Infinity : Number(max) }
}

/** From the first time that somebody asks, so that nobody else pays for it. */
function watchLoop(): Tally {
  const delays = new Tally(DELAY_BOUNDS)
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    delays.add(Math.max(0, now - last - LOOK_MS) / 1_000)
    last = now
  }, LOOK_MS).unref()
  return delays
}
