/** What a data folder holds beside messages and journals: documents, idempotency keys, blobs, and what was left over. */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { OnceKey } from '../../state/change.ts'
import type { Document, Kind } from '../../store.ts'
import { exists, lostPath, nullIfMissing } from '../file.ts'
import { shardFile, SHARDS } from '../tables.ts'
import { type Finding, idsIn } from './finding.ts'
import { readStored } from './stored.ts'

const DOCUMENTS = 'documents'
const KEYS = 'once'
const BLOBS = 'blobs'
const BLOB = /^[0-9a-f-]{36}$/
const UNFINISHED = /\.(tmp|new)$/

export interface StoredDocument extends Document<unknown> {
  readonly kind: Kind
}

export interface DocumentsFound {
  readonly documents: readonly StoredDocument[]
  /** numbers of the files that can be read */
  readonly shards: readonly number[]
  readonly findings: readonly Finding[]
}

/** @param listed numbers of the files that the manifest lists */
export async function examineDocuments(dir: string, listed: readonly number[]): Promise<DocumentsFound> {
  const documents: StoredDocument[] = []
  const shards: number[] = []
  const findings: Finding[] = []
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const file = join(DOCUMENTS, shardFile(shard))
    const stored = await readStored<StoredDocument[]>(join(dir, file))
    if (stored.state === 'sound') {
      documents.push(...stored.data)
      shards.push(shard)
    } else if (stored.state === 'damaged') {
      const names = idsIn(stored.text)
      const affected = { of: 'document', count: names.length, mids: [], names } as const
      findings.push({ kind: 'documents', file, offset: stored.offset, what: stored.what, affected })
    } else if (listed.includes(shard) && !(await exists(lostPath(join(dir, file))))) {
      const affected = { of: 'document', count: null, mids: [], names: [] } as const
      findings.push({ kind: 'documents', file, offset: null, what: 'it is missing', affected })
    }
  }
  return { documents, shards, findings }
}

export async function examineKeys(
  dir: string,
): Promise<{ readonly count: number; readonly findings: readonly Finding[] }> {
  let count = 0
  const findings: Finding[] = []
  for (const name of await storedIn(dir, KEYS)) {
    const stored = await readStored<OnceKey[]>(join(dir, KEYS, name))
    if (stored.state === 'sound') count += stored.data.length
    if (stored.state !== 'damaged') continue
    const gone = stored.text.match(/"key":/g)?.length ?? 0
    const affected = { of: 'key', count: gone, mids: [], names: [] } as const
    findings.push({ kind: 'keys', file: join(KEYS, name), offset: stored.offset, what: stored.what, affected })
  }
  return { count, findings }
}

/**
 * @param used those that messages name
 * @param listed those of messages that may not be readable
 */
export async function examineBlobs(
  dir: string,
  used: ReadonlySet<string>,
  listed: ReadonlySet<string>,
): Promise<{ readonly count: number; readonly findings: readonly Finding[] }> {
  const names = new Set(await namesIn(join(dir, BLOBS)))
  const there = [...names].filter((name) => BLOB.test(name))
  const missing = [...used].filter((id) => !names.has(id) && !names.has(lostPath(id)))
  const lost = missing.map((id): Finding => {
    const affected = { of: 'blob', count: 1, mids: [], names: [] } as const
    return {
      kind: 'blob',
      file: join(BLOBS, id),
      offset: null,
      what: 'it is missing, and a message names it',
      affected,
    }
  })
  const orphans = there
    .filter((id) => !used.has(id) && !listed.has(id))
    .map((id): Finding => {
      return { kind: 'orphan', file: join(BLOBS, id), offset: null, what: 'no message names it', affected: null }
    })
  return { count: there.length, findings: [...lost, ...orphans] }
}

/** What a crash left half written, and journals that nothing needs any more. */
export async function examineLeftovers(dir: string, oldJournals: readonly string[]): Promise<readonly Finding[]> {
  const unfinished = await Promise.all(
    ['', 'messages', DOCUMENTS, KEYS, BLOBS].map(async (folder) => {
      const names = await namesIn(join(dir, folder))
      return names.filter((name) => UNFINISHED.test(name)).map((name) => join(folder, name))
    }),
  )
  return [
    ...unfinished.flat().map((file) => leftover(file, 'a crash left it half written')),
    ...oldJournals.map((path) => leftover(basename(path), 'all that it holds is in the other files')),
  ]
}

function leftover(file: string, what: string): Finding {
  return { kind: 'leftover', file, offset: null, what, affected: null }
}

async function storedIn(dir: string, folder: string): Promise<readonly string[]> {
  return (await namesIn(join(dir, folder))).filter((name) => name.endsWith('.json')).toSorted()
}

async function namesIn(path: string): Promise<readonly string[]> {
  return (await readdir(path).catch(nullIfMissing)) ?? []
}
