/** Reads a whole data folder, and changes nothing in it. A hub may be running on it meanwhile. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Mistake } from '../../../ground/mistake.ts'
import type { Mid } from '../../../protocol/states.ts'
import { type Change, decodeChanges } from '../../state/change.ts'
import type { Entry, MessageText } from '../../state/entry.ts'
import { State } from '../../state/state.ts'
import { StoreVersion } from '../../store.ts'
import { nullIfMissing } from '../file.ts'
import { journalPath } from '../journal.ts'
import { holderOf, LOCK_FILE } from '../lock.ts'
import { FORMAT, type Manifest, manifestPath } from '../manifest.ts'
import type { SegmentInfo } from '../segments.ts'
import { type Finding, type FindingKind, isDamage } from './finding.ts'
import { examineJournals, type JournalsFound } from './journals.ts'
import { RESERVE_FILE } from '../space.ts'
import { examineBlobs, examineDocuments, examineKeys, examineLeftovers, type StoredDocument } from './others.ts'
import { examineSegments } from './segments.ts'
import { readStored, type Stored } from './stored.ts'

/** a checkpoint of a running hub may take away what is being looked for */
const TRIES = 5
/** what a running hub is about to do itself */
const PASSING: ReadonlySet<FindingKind> = new Set(['torn', 'leftover', 'orphan'])
const FOLDERS = ['', 'messages', 'documents', 'once', 'blobs']

export interface Totals {
  readonly messages: number
  /** deliveries that are still owed to sessions */
  readonly open: number
  /** clients, webhooks and the like that registered */
  readonly recipients: number
  readonly segments: number
  readonly journals: number
  readonly blobs: number
  /** bytes of all files */
  readonly bytes: number
}

export interface Examination {
  readonly dir: string
  /** process of the hub that runs on it; null: none does, as far as can be told */
  readonly runningAs: number | null
  readonly isSound: boolean
  readonly findings: readonly Finding[]
  readonly totals: Totals
  readonly rest: Rest
}

/** What can be read, for who puts the folder in order. */
export interface Rest {
  readonly manifest: Manifest | null
  readonly journals: JournalsFound
  readonly segments: readonly SegmentInfo[]
  /** numbers of files of documents */
  readonly documents: readonly number[]
  /** highest mid in files, in anything, and highest revision of a document */
  readonly archivedUpTo: Mid
  readonly lastMid: Mid
  readonly rev: number
}

/**
 * @throws Mistake: there is no such folder, or nothing is stored in it
 * @throws StoreVersion
 */
export async function examine(dir: string): Promise<Examination> {
  for (let tries = 1; ; tries += 1) {
    const before = await readFile(manifestPath(dir)).catch(nullIfMissing)
    const examination = await examineOnce(dir)
    const after = await readFile(manifestPath(dir)).catch(nullIfMissing)
    const isUnmoved = before?.toString() === after?.toString()
    if (examination.isSound || isUnmoved || tries === TRIES) return examination
  }
}

async function examineOnce(dir: string): Promise<Examination> {
  const bytes = await sizeOf(dir)
  const runningAs = holderOf(dir)
  const stored = await readStored<Manifest>(manifestPath(dir))
  const manifest = stored.state === 'sound' ? stored.data : null
  if (manifest && manifest.format > FORMAT) {
    throw new StoreVersion(`${dir} was written by a newer version (format ${manifest.format}): update this program`)
  }
  const journals = await examineJournals(dir, manifest && { journal: manifest.journal, seq: manifest.seq })
  const sum = new Sum(manifest)
  const segments = await examineSegments(dir, manifest?.segments ?? null, (entry) => sum.addEntry(entry))
  const documents = await examineDocuments(dir, manifest?.documents ?? [])
  sum.addDocuments(documents.documents)
  if (!manifest && journals.lines.length === 0 && sum.isEmpty) throw new Mistake(`nothing is stored in ${dir}`)
  for (const line of journals.lines) sum.addChanges(decodeChanges(line))
  const blobs = await examineBlobs(dir, sum.blobs, new Set(manifest?.segments.flatMap((info) => info.blobs)))
  const all = [
    ...(manifest ? [] : [lostManifest(stored)]),
    ...journals.findings,
    ...segments.findings,
    ...documents.findings,
    ...(await examineKeys(dir)).findings,
    ...blobs.findings,
    ...(await examineLeftovers(
      dir,
      journals.old.map((n) => journalPath(dir, n)),
    )),
  ]
  const findings = runningAs === null ? all : all.filter(({ kind }) => !PASSING.has(kind))
  const { state } = sum
  return {
    dir,
    runningAs,
    isSound: !findings.some(isDamage),
    findings,
    totals: {
      messages: sum.messages,
      open: state.inboxes.total.count,
      recipients: state.documents.scan('recipient', { limit: Infinity }).items.length,
      segments: segments.infos.length,
      journals: journals.numbers.length,
      blobs: blobs.count,
      bytes,
    },
    rest: {
      manifest,
      journals,
      segments: segments.infos,
      documents: documents.shards,
      archivedUpTo: sum.archivedUpTo,
      lastMid: state.lastMid,
      rev: state.documents.rev,
    },
  }
}

/** What all that can be read comes to. */
class Sum {
  readonly state = new State()
  readonly blobs = new Set<string>()
  messages = 0
  readonly #manifest: Manifest | null
  /** highest in files */
  #highest: Mid = ''
  /** messages in files of which the manifest does not know: a checkpoint wrote them after it */
  readonly #late = new Set<Mid>()

  constructor(manifest: Manifest | null) {
    this.#manifest = manifest
    this.state.lastMid = manifest?.lastMid ?? ''
    this.state.documents.rev = manifest?.rev ?? 0
  }

  /** highest mid that a file holds, or held: a journal that brings one up to it repeats itself */
  get archivedUpTo(): Mid {
    return this.#manifest?.archivedUpTo ?? this.#highest
  }

  get isEmpty(): boolean {
    return this.messages === 0 && this.state.documents.rev === 0
  }

  addEntry(entry: Entry): void {
    this.#add(entry)
    if (entry.mid > this.#highest) this.#highest = entry.mid
    if (entry.mid > this.archivedUpTo) this.#late.add(entry.mid)
    if (entry.live > 0) this.state.admit(entry)
  }

  addDocuments(documents: readonly StoredDocument[]): void {
    for (const { kind, id, value, rev } of documents) this.state.documents.put(kind, id, value, rev)
  }

  addChanges(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.op !== 'message') this.state.apply(change)
      else if (change.message.mid > this.archivedUpTo && !this.#late.has(change.message.mid)) {
        this.#add(change.message)
        this.state.apply(change)
      }
    }
  }

  #add({ mid, blobs }: MessageText): void {
    this.messages += 1
    if (mid > this.state.lastMid) this.state.lastMid = mid
    for (const blob of blobs) this.blobs.add(blob)
  }
}

function lostManifest(stored: Stored<Manifest>): Finding {
  const isMissing = stored.state !== 'damaged'
  const what = isMissing ? 'it is missing' : stored.what
  return { kind: 'manifest', file: 'manifest.json', offset: isMissing ? null : stored.offset, what, affected: null }
}

/** Bytes of all files of the store. @throws Mistake */
async function sizeOf(dir: string): Promise<number> {
  if ((await stat(dir).catch(nullIfMissing)) === null) throw new Mistake(`there is no folder ${dir}`)
  let bytes = 0
  for (const folder of FOLDERS) {
    const entries = (await readdir(join(dir, folder), { withFileTypes: true }).catch(nullIfMissing)) ?? []
    for (const entry of entries.filter((one) => one.isFile() && ![RESERVE_FILE, LOCK_FILE].includes(one.name))) {
      bytes += (await stat(join(dir, folder, entry.name)).catch(nullIfMissing))?.size ?? 0
    }
  }
  return bytes
}
