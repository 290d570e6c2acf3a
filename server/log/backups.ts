/** Log files that were put aside: `app.log.2026-01-31T08-00-00.000Z`, later with `.gz` behind it. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { shareNew } from '../ground/sharing.ts'

const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z/
const PACKED = '.gz'
/** until the whole of it is on disk */
const UNFINISHED = '.gz.part'

export interface BackupLimits {
  /** files at most; 0: no limit */
  readonly count: number
  /** ms; 0: no limit */
  readonly ageMs: number
  readonly compress: boolean
}

/** A name that no file has yet. @param now ms since epoch */
export async function asideName(path: string, now: number): Promise<string> {
  let at = now
  while ((await exists(`${path}.${stampOf(at)}`)) || (await exists(`${path}.${stampOf(at)}${PACKED}`))) at += 1
  return `${path}.${stampOf(at)}`
}

/**
 * Drops what is too old or too many of the files that were put aside from `path`, compresses the others, and
 * ends what a crash left half done. Files of other names, such as logrotate's, are left alone.
 * @param now ms since epoch
 * @throws what the disk says, or AbortError when the signal does; a later call goes on
 */
export async function tidyBackups(
  path: string,
  { count, ageMs, compress }: BackupLimits,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const found = await backupsOf(path)
  const recent = count === 0 ? found : found.slice(-count)
  for (const backup of found) {
    const isKept = recent.includes(backup) && (ageMs === 0 || now - backup.at <= ageMs)
    await tidy(`${path}.${backup.stamp}`, backup.endings, isKept, compress, signal)
  }
}

interface Backup {
  readonly stamp: string
  /** ms since epoch */
  readonly at: number
  /** what there is of it: the file itself (''), `.gz`, `.gz.part` */
  readonly endings: ReadonlySet<string>
}

/** The oldest first. */
async function backupsOf(path: string): Promise<readonly Backup[]> {
  const prefix = `${basename(path)}.`
  const found = new Map<string, Set<string>>()
  for (const name of await readdir(dirname(path))) {
    const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    const [stamp = ''] = STAMP.exec(rest) ?? []
    const ending = rest.slice(stamp.length)
    if (stamp === '' || !['', PACKED, UNFINISHED].includes(ending)) continue
    found.set(stamp, (found.get(stamp) ?? new Set()).add(ending))
  }
  return [...found]
    .map(([stamp, endings]) => ({ stamp, at: timeOf(stamp), endings }))
    .toSorted((a, b) => (a.stamp < b.stamp ? -1 : 1))
}

async function tidy(
  file: string,
  endings: ReadonlySet<string>,
  isKept: boolean,
  compress: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (endings.has(UNFINISHED)) await rm(file + UNFINISHED)
  if (!isKept) {
    for (const ending of ['', PACKED]) if (endings.has(ending)) await rm(file + ending)
  } else if (endings.has('') && (endings.has(PACKED) || compress)) {
    if (!endings.has(PACKED)) await pack(file, signal)
    await rm(file)
  }
}

async function pack(file: string, signal: AbortSignal): Promise<void> {
  const unfinished = file + UNFINISHED
  await pipeline(createReadStream(file), createGzip(), createWriteStream(unfinished, { flush: true }), { signal })
  await shareNew(unfinished)
  await rename(unfinished, file + PACKED)
}

function stampOf(at: number): string {
  return new Date(at).toISOString().replaceAll(':', '-')
}

function timeOf(stamp: string): number {
  const [day = '', time = ''] = stamp.split('T')
  return Date.parse(`${day}T${time.replaceAll('-', ':')}`)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
