/** The hub's own token when the config names none: made once, kept in the data directory. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newToken } from '../directory/tokens.ts'

const FILE = 'token'

export interface KeptToken {
  readonly token: string
  /** the file that holds it */
  readonly path: string
  /** it was made just now: this is the first run */
  readonly isNew: boolean
}

/** Reads `token` in the data directory, or makes both: the directory 0700, the file 0600. */
export function keptToken(data: string): KeptToken {
  const kept = tokenIn(data)
  if (kept) return kept

  const path = join(data, FILE)
  const token = newToken()
  mkdirSync(data, { recursive: true, mode: 0o700 })
  // written aside and renamed, so that a crash leaves no empty token
  writeFileSync(`${path}.new`, `${token}\n`, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  return { token, path, isNew: true }
}

/** Reads `token` in the data directory; null where none was made yet. */
export function tokenIn(data: string): KeptToken | null {
  const path = join(data, FILE)
  const token = readIfThere(path)
  return token === '' ? null : { token, path, isNew: false }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
