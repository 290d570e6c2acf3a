/** A disk whose power can be cut: what was not flushed, and the log of its file system, are gone. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const KEEPER = new URL('./disk.pl', import.meta.url).pathname
const BYTES = 4 * 1024 ** 3

export interface Disk {
  /** a folder on it */
  readonly dir: string
  /** From the moment this is called nothing more reaches the disk; what is written to it fails. */
  cut(): Promise<void>
  /** What a machine finds that starts again. Nobody may have files open. */
  restore(): Promise<void>
  /** Takes it away; its image stays. */
  close(): Promise<void>
}

/** Why a machine cannot have one; null where it can. */
export function whyNoDisk(): string | null {
  if (process.getuid?.() !== 0) return 'only root can mount a disk'
  const absent = ['perl', 'mkfs.ext4', 'mount'].find((name) => spawnSync(name, ['--version']).error)
  if (absent !== undefined) return `there is no ${absent} here`
  return spawnSync('losetup', ['--find']).status === 0 ? null : 'there are no loop devices here'
}

/** @param folder an existing one, which gets the disk's image and the folder it is mounted on */
export async function makeDisk(folder: string): Promise<Disk> {
  const [image, mounted] = [join(folder, 'disk.ext4'), join(folder, 'disk')]
  await mkdir(mounted)
  await writeFile(image, '')
  await truncate(image, BYTES)
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1', image])
  const keeper = spawn('perl', [KEEPER, image, mounted], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answer = answersOf(keeper)
  await answer()

  async function say(word: 'cut' | 'again'): Promise<void> {
    keeper.stdin.write(`${word}\n`)
    await answer()
  }

  return {
    dir: mounted,
    cut: () => say('cut'),
    restore: () => say('again'),
    async close() {
      if (keeper.exitCode !== null) return
      keeper.stdin.end()
      await once(keeper, 'exit')
    },
  }
}

/** Waits for its next line; throws when it ends without one. */
function answersOf({ stdout }: ChildProcess): () => Promise<void> {
  if (!stdout) throw new Error('the keeper of a disk has no output')
  const lines = on(createInterface({ input: stdout }), 'line', { close: ['close'] })
  return async () => {
    const { done } = await lines.next()
    if (done) throw new Error('the keeper of the disk ended: see what it said above')
  }
}
