/** How many connections there may be, and what the operator hears when there are. */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Clock } from '../ground/clock.ts'
import type { Log } from '../ground/log.ts'

/** files that the store, the log and all that goes out may need beside them */
const OTHER_FILES = 256
const TELL_MS = 60_000

/**
 * As many as asked for on each port, or fewer where the process may not open so many files: the store must never
 * lack one.
 * @param asked null: as many as may be
 */
export function connectionsOf(asked: number | null, ports: number, log: Log): number {
  const files = openFiles()
  const room = Math.floor(Math.max(files - OTHER_FILES, files / 2) / ports)
  if (asked === null || asked <= room) return Math.min(asked ?? Infinity, room)
  log.warn({ asked, room, files }, 'limits.connections is lowered: this process may not open more files (ulimit -n)')
  return room
}

/** Says at most once a minute that connections are closed unheard. */
export function tellOfDrops(server: Server, clock: Clock, log: Log): void {
  let toldAt = -TELL_MS
  server.on('drop', () => {
    if (clock.elapsed() - toldAt < TELL_MS) return
    toldAt = clock.elapsed()
    log.warn(
      { connections: server.maxConnections },
      'there are limits.connections connections: more are closed unheard',
    )
  })
}

/** How many files and sockets the process may have open; where the system does not say, no limit is known. */
function openFiles(): number {
  try {
    const [, most] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return most === undefined ? Infinity : Number(most)
  } catch {
    return Infinity
  }
}
