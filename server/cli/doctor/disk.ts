/** The data folder and the disk below it: who may read it, how much is free, what kind it is, how fast it flushes. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, readdir, stat, statfs, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fault, type Finding, ok, reasonOf, warning } from './finding.ts'

const MIB = 1024 * 1024
const LITTLE_BYTES = 256 * MIB
const FLUSHES = 50
const FLUSH_BYTES = 4_096
const SLOW_MS = 10

/** File systems by their magic numbers (statfs(2)). */
const UNFIT: ReadonlyMap<number, string> = new Map([
  [0x0102_1994, 'a file system in memory: all is lost with it'],
  [0x8584_58f6, 'a file system in memory: all is lost with it'],
  [0x794c_7630, 'the layer of a container: all is lost with it; mount a volume'],
  [0x6969, 'NFS: its locks and flushes cannot be relied on'],
  [0xff53_4d42, 'CIFS: its locks and flushes cannot be relied on'],
  [0xfe53_4d42, 'SMB: its locks and flushes cannot be relied on'],
])

export async function disk(data: string): Promise<readonly Finding[]> {
  const folder = await nearestFolder(resolve(data))
  try {
    await access(folder, constants.W_OK)
  } catch (error) {
    return [fault('data', `${folder} cannot be written: ${reasonOf(error)}`)]
  }
  return [...(await modes(data, folder)), ...(await room(folder)), await flushes(folder)]
}

/** The folder itself, or the one that it will be made in. */
async function nearestFolder(path: string): Promise<string> {
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isThere || dirname(path) === path ? path : nearestFolder(dirname(path))
}

async function modes(data: string, folder: string): Promise<readonly Finding[]> {
  if (folder !== resolve(data)) return [ok('data', `${data} is made at the first start`)]
  const names = ['', ...(await readdir(folder))]
  const open = await Promise.all(names.map(async (name) => ((await stat(join(folder, name))).mode & 0o077) !== 0))
  const readable = names.filter((_, at) => open[at]).map((name) => join(data, name))
  if (readable.length === 0) return [ok('data', `${data} is closed to other users`)]
  return [warning('data', `other users can read ${readable.join(', ')}: chmod -R go= ${data}`)]
}

async function room(folder: string): Promise<readonly Finding[]> {
  const { bavail, bsize, type } = await statfs(folder)
  const free = bavail * bsize
  const text = `${Math.floor(free / MIB).toLocaleString('en')} MiB free`
  const kind = UNFIT.get(type)
  return [
    free < LITTLE_BYTES ? warning('disk', `only ${text}: pushes are refused when it is full`) : ok('disk', text),
    ...(kind === undefined ? [] : [warning('disk', `${folder} is on ${kind}`)]),
  ]
}

/** Each push waits for one of these. */
async function flushes(folder: string): Promise<Finding> {
  const path = join(folder, `.doctor-${randomBytes(6).toString('hex')}`)
  try {
    const times = await timed(path)
    const [p50 = 0, p99 = 0] = [0.5, 0.99].map((part) => times[Math.floor(times.length * part)] ?? 0)
    const text = `a flush takes ${p50.toFixed(1)} ms, at worst ${p99.toFixed(1)} ms`
    return p50 > SLOW_MS ? warning('flush', `${text}: every push waits for one`) : ok('flush', text)
  } catch (error) {
    return fault('flush', `nothing can be written into ${folder}: ${reasonOf(error)}`)
  } finally {
    await unlink(path).catch(() => {})
  }
}

/** Times of writing and flushing 4 KiB at the end of a file, in ms, ascending. */
async function timed(path: string): Promise<readonly number[]> {
  const file = await open(path, 'wx', 0o600)
  try {
    const times: number[] = []
    for (let n = 0; n < FLUSHES; n++) {
      const begun = performance.now()
      await file.write(Buffer.alloc(FLUSH_BYTES, n))
      await file.datasync()
      times.push(performance.now() - begun)
    }
    return times.toSorted((a, b) => a - b)
  } finally {
    await file.close()
  }
}
