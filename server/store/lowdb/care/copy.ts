/**
 * Copies a data folder while a hub may be writing to it. Files are replaced by renames and journals only grow, so a
 * copy is what a crash would leave, as long as no checkpoint ended while it was made: then what changed is copied
 * again.
 */
import { copyFile, mkdir, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Mistake } from '../../../ground/mistake.ts'
import { dataIn, lostPath, nullIfMissing, replaceFile, syncFolder } from '../file.ts'
import { firstLine, scan } from '../frame.ts'
import { type JournalHead, journalPath } from '../journal.ts'
import { type Manifest, manifestPath } from '../manifest.ts'
import { journalsIn } from '../recover.ts'
import { countsFile, segmentFile } from '../segment-files.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const FOLDERS = ['messages', 'documents', 'once', 'blobs']
/** each copies only what changed during the one before */
const PASSES = 30
const TOKEN = 'token'

/**
 * Everything that was accepted before the call is in the copy. It is durable, and the manifest comes last: without
 * one it is none.
 * @param to an empty folder
 * @throws Mistake: there is no manifest that can be read, or checkpoints come faster than copies
 */
export async function copyStore(from: string, to: string): Promise<void> {
  const copy = new Copy(from, to)
  for (const folder of FOLDERS) await mkdir(join(to, folder), { recursive: true, mode: FOLDER_MODE })
  for (let pass = 0; pass < PASSES; pass += 1) {
    const text = await readManifestText(from)
    await copy.pass(manifestIn(from, text))
    if ((await readManifestText(from)) !== text) continue
    await copy.cutTail()
    await copy.files([TOKEN])
    for (const folder of FOLDERS) await syncFolder(join(to, folder))
    await syncFolder(to)
    await (await replaceFile(manifestPath(to), text)).close()
    await syncFolder(to)
    return
  }
  throw new Mistake(`${from} changes faster than it can be copied: try again when the hub has less to do`)
}

class Copy {
  readonly #from: string
  readonly #to: string
  /** files that are in the copy, with what told the original from others */
  readonly #prints = new Map<string, string>()
  #journals: readonly number[] = []

  constructor(from: string, to: string) {
    this.#from = from
    this.#to = to
  }

  /** Journals after all that they hold, blobs after all that name them. */
  async pass({ segments, journal }: Manifest): Promise<void> {
    const messages = segments.flatMap(({ n }) => [segmentFile(n), countsFile(n), lostPath(segmentFile(n))])
    await this.folder('messages', messages)
    await this.folder('documents', await this.#names('documents', /\.json(\.lost)?$/))
    await this.folder('once', await this.#names('once', /\.json$/))
    const before = this.#journals
    this.#journals = (await journalsIn(this.#from)).filter((n) => n >= journal)
    await this.files(this.#journals.map((n) => journalPath('', n)))
    await this.#drop(before.filter((n) => !this.#journals.includes(n)).map((n) => journalPath('', n)))
    await this.folder('blobs', await this.#names('blobs', /^[0-9a-f-]{36}(\.lost)?$/))
  }

  /** Where the last journal ends in what was being written while it was copied, that had not been acknowledged. */
  async cutTail(): Promise<void> {
    const last = this.#journals.at(-1)
    if (last !== undefined) await cutTail(journalPath(this.#to, last))
  }

  /** Copies those that changed, and takes away from the copy what is not among them. */
  async folder(folder: string, names: readonly string[]): Promise<void> {
    const files = names.map((name) => join(folder, name))
    const wanted = new Set(files)
    await this.#drop([...this.#prints.keys()].filter((file) => dirname(file) === folder && !wanted.has(file)))
    await this.files(files)
  }

  async files(files: readonly string[]): Promise<void> {
    for (const file of files) await this.#file(file)
  }

  async #file(file: string): Promise<void> {
    const path = join(this.#from, file)
    const found = await stat(path).catch(nullIfMissing)
    const print = found && `${found.ino} ${found.size} ${found.mtimeMs}`
    if (print === this.#prints.get(file)) return
    const target = join(this.#to, file)
    // one that is gone meanwhile was dropped: the manifest says so, or none needs it
    if (!found || (await copyFile(path, target).catch(nullIfMissing)) === null) return this.#drop([file])
    await flush(target)
    this.#prints.set(file, print ?? '')
  }

  async #drop(files: readonly string[]): Promise<void> {
    for (const file of files) {
      this.#prints.delete(file)
      await unlink(join(this.#to, file)).catch(nullIfMissing)
    }
  }

  async #names(folder: string, pattern: RegExp): Promise<readonly string[]> {
    return ((await readdir(join(this.#from, folder)).catch(nullIfMissing)) ?? []).filter((name) => pattern.test(name))
  }
}

/** @throws Mistake */
async function readManifestText(dir: string): Promise<string> {
  const text = await readFile(manifestPath(dir), 'utf8').catch(nullIfMissing)
  if (text === null) throw new Mistake(`there is no manifest in ${dir}: nothing is stored there, or it is damaged`)
  return text
}

/** @throws Mistake */
function manifestIn(dir: string, text: string): Manifest {
  const json = dataIn(text)
  if (json === null) throw new Mistake(`${manifestPath(dir)} is damaged: its checksum does not match`)
  // the checksum vouches that this is what the store wrote
  const manifest: Manifest = JSON.parse(json)
  return manifest
}

async function cutTail(path: string): Promise<void> {
  const bytes = await readFile(path)
  const line = firstLine(bytes)
  if (!line) return
  // the checksum vouches that this is what `rotate` put there; or a record, where the head is gone
  const { base }: Partial<JournalHead> = JSON.parse(line.json)
  const damage = base === undefined ? null : scan(bytes, base).damage
  if (!damage || damage.acknowledged) return
  await truncate(path, damage.offset)
  await flush(path)
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.chmod(FILE_MODE)
    await file.sync()
  } finally {
    await file.close()
  }
}
