/** Tokens: what one may be made of, and the hub's own when the config names none, kept in the data directory. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { newToken } from '../directory/tokens.ts'
import { Mistake } from '../ground/mistake.ts'

const FILE = 'token'
/** what the header `authorization` carries unchanged, and is not taken for its scheme */
const IN_HEADER = /^(?!bearer )[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/i
const NOT_IN_HEADER =
  'the header "authorization" cannot carry it: use printable ASCII, no space at either end, no "Bearer " in front'

export const tokenSchema = z.string().min(1, { abort: true }).regex(IN_HEADER, NOT_IN_HEADER)

export interface KeptToken {
  readonly token: string
  /** the file that holds it */
  readonly path: string
  /** it was made just now: this is the first run */
  readonly isNew: boolean
}

/**
 * Reads `token` in the data directory, or makes both: the directory 0700, the file 0600.
 * @throws Mistake when that cannot be used
 */
export function keptToken(data: string): KeptToken {
  try {
    return tokenIn(data) ?? makeToken(data)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new Mistake(`the data folder ${data} cannot be used: ${error.message}`, { cause: error })
  }
}

function makeToken(data: string): KeptToken {
  const path = join(data, FILE)
  const token = newToken()
  mkdirSync(data, { recursive: true, mode: 0o700 })
  // written aside and renamed, so that a crash leaves no empty token
  writeFileSync(`${path}.new`, `${token}\n`, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  return { token, path, isNew: true }
}

/** Reads `token` in the data directory; null where none was made yet. @throws Mistake when it is none */
export function tokenIn(data: string): KeptToken | null {
  const path = join(data, FILE)
  const token = readIfThere(path)
  if (token === '') return null
  if (!IN_HEADER.test(token)) throw new Mistake(`the token in ${path}: ${NOT_IN_HEADER}`)
  return { token, path, isNew: false }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
