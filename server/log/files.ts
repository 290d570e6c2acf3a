/**
 * The files of the log: the whole, and beside it errors, infos and debug lines alone. Lines are written in the
 * background, one file at a time, so a slow disk holds up neither the hub nor more than one thread; a disk that
 * takes nothing costs the lines that do not fit in memory, and nothing else.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../ground/clock.ts'
import { Mistake } from '../ground/mistake.ts'
import { type BackupLimits, tidyBackups } from './backups.ts'
import { createLogFile, type LogFile } from './file.ts'

const RETRY_MS = 1_000
const TIDY_MS = 3_600_000
const DEBUG = 20
const INFO = 30
const ERROR = 50

export interface LogFilesOptions {
  /** of the whole log */
  readonly path: string
  readonly maxBytes: number
  readonly backups: BackupLimits
  readonly clock: Clock
  /** Tells the operator what the log itself cannot say. */
  readonly tell: (text: string) => void
  /** So many lines of this file are lost; it can be written again. */
  readonly onLost: (path: string, lines: number) => void
}

export interface LogFiles {
  /** @param level pino's number */
  write(level: number, line: string): void
  /** What waits, at once: the process ends. */
  flushSync(): void
  /** Opens all files anew, as after a rotation by somebody else. */
  reopen(): void
  /** Writes what waits and closes the files. */
  close(): Promise<void>
}

/** The log cannot be written where the config says; the message says what to change. */
export class LogUnwritable extends Mistake {
  override readonly name = 'LogUnwritable'
}

interface Kept {
  readonly file: LogFile
  readonly takes: (level: number) => boolean
  isBroken: boolean
  /** not before, in ms of the clock's `elapsed` */
  retryAt: number
}

/** @throws LogUnwritable */
export function openLogFiles({ path, maxBytes, backups, clock, tell, onLost }: LogFilesOptions): LogFiles {
  const beside = (name: string) => join(dirname(path), name)
  const keep = (name: string, takes: Kept['takes']): Kept => {
    checkWritable(name)
    return { file: createLogFile(name, maxBytes, clock), takes, isBroken: false, retryAt: -Infinity }
  }
  const all = [
    keep(path, () => true),
    keep(beside('error.log'), (level) => level >= ERROR),
    keep(beside('info.log'), (level) => level === INFO),
    keep(beside('debug.log'), (level) => level === DEBUG),
  ]
  const stop = new AbortController()
  let isRunning = false
  let running = Promise.resolve()
  let tidying = Promise.resolve()
  let cancelRetry: (() => void) | null = null
  let cancelTidy = tidySoon()

  function wake(): void {
    if (isRunning) return
    isRunning = true
    running = run()
  }

  async function run(): Promise<void> {
    // lines of one turn leave together
    await setImmediate()
    for (let due = dueNow(); due.length > 0; due = dueNow()) for (const kept of due) await flush(kept)
    isRunning = false
  }

  function dueNow(): readonly Kept[] {
    return all.filter(({ file, retryAt }) => file.hasWork && clock.elapsed() >= retryAt)
  }

  async function flush(kept: Kept): Promise<void> {
    const { file } = kept
    try {
      const { aside, lost, trouble } = await file.flush()
      kept.isBroken = false
      if (trouble !== null) tell(`${file.path} is full and cannot be renamed (${codeOf(trouble)}): it grows on`)
      if (lost > 0) onLost(file.path, lost)
      if (aside) tidyNow()
    } catch (error) {
      if (!kept.isBroken)
        tell(`${file.path} cannot be written (${codeOf(error)}): its lines wait in memory for a while`)
      kept.isBroken = true
      kept.retryAt = clock.elapsed() + RETRY_MS
      cancelRetry ??= clock.after(RETRY_MS, () => {
        cancelRetry = null
        wake()
      })
    }
  }

  function tidyNow(): void {
    tidying = tidying.then(async () => {
      for (const { file } of all) await tidyBackups(file.path, backups, clock.now(), stop.signal)
    })
    tidying = tidying.catch((error: unknown) => {
      if (!stop.signal.aborted) tell(`old files of the log cannot be tidied (${codeOf(error)})`)
    })
  }

  function tidySoon(): () => void {
    tidyNow()
    return clock.after(TIDY_MS, () => (cancelTidy = tidySoon()))
  }

  function reopen(): void {
    for (const { file } of all) file.reopen()
    wake()
  }

  // those that wait long for their first line are what they should be, too
  reopen()
  return {
    write(level, line) {
      for (const { file, takes } of all) if (takes(level)) file.add(line)
      wake()
    },
    flushSync() {
      for (const { file } of all) file.flushSync()
    },
    reopen,
    async close() {
      stop.abort()
      cancelTidy()
      cancelRetry?.()
      for (const kept of all) kept.retryAt = -Infinity
      await running
      await run()
      cancelRetry?.()
      await tidying
      for (const { file } of all) await file.close()
    },
  }
}

function checkWritable(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(path, 'a'))
  } catch (error) {
    throw new LogUnwritable(
      `${path} cannot be written (${codeOf(error)}): change log.file_path, or who may write there`,
    )
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
