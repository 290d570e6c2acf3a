/** The log as the config wants it: on stdout, in files, or both. */
import type * as z from 'zod'
import { pino, type DestinationStream } from 'pino'
import { type Clock, systemClock } from '../ground/clock.ts'
import type { logSchema } from '../config/log.ts'
import { createLog, type Log } from '../ground/log.ts'
import { type LogFiles, openLogFiles } from './files.ts'
import { textOf } from './text.ts'

const MIB = 1024 * 1024
const DAY_MS = 86_400_000
const INFO = 30

type LogSettings = z.infer<typeof logSchema>

export interface OpenLog {
  readonly log: Log
  /** Opens its files anew. */
  reopen(): void
  /** Writes what waits in memory. */
  close(): Promise<void>
}

export interface LogParts {
  readonly clock?: Clock
  readonly stdout?: DestinationStream
  /** Tells the operator what the log itself cannot say. */
  readonly tell?: (text: string) => void
}

/** @throws LogUnwritable */
export function openLog(
  settings: LogSettings,
  { clock = systemClock, stdout, tell = complain }: LogParts = {},
): OpenLog {
  const { level, format, output } = settings
  const files = output === 'stdout' ? null : filesOf(settings, clock, tell, lost)
  const printer = output === 'file' ? null : (stdout ?? pino.destination({ fd: 1, sync: true }))
  const stream = {
    [pino.symbols.needsMetadataGsym]: true as const,
    // pino sets it ahead of each line
    lastLevel: INFO,
    write(line: string) {
      const text = format === 'text' ? textOf(line) : line
      printer?.write(text)
      files?.write(this.lastLevel, text)
    },
    flushSync() {
      files?.flushSync()
    },
  }
  const log = createLog(level, stream)

  function lost(file: string, lines: number): void {
    log.warn({ file, lines }, 'lines of the log are lost: the disk took none, and too many waited')
  }

  const flush = () => files?.flushSync()
  process.on('exit', flush)
  return {
    log,
    reopen: () => files?.reopen(),
    async close() {
      process.off('exit', flush)
      await files?.close()
    },
  }
}

function filesOf(
  { file_path, max_size, max_backups, max_age, compress }: LogSettings,
  clock: Clock,
  tell: (text: string) => void,
  onLost: (file: string, lines: number) => void,
): LogFiles {
  const backups = { count: max_backups, ageMs: max_age * DAY_MS, compress }
  return openLogFiles({ path: file_path, maxBytes: max_size * MIB, backups, clock, tell, onLost })
}

function complain(text: string): void {
  process.stderr.write(`carillon: ${text}\n`)
}
