/** Damage of all kinds at places of chance, in all kinds of files: none is silent, and all of it can be repaired. */
import { rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { examine } from '../../../../server/store/lowdb/care/examine.ts'
import { repair } from '../../../../server/store/lowdb/care/repair.ts'
import { type Random, random } from '../../../crash/random.ts'
import { filesOf, startFolders } from './folders.ts'

/** more of them with DAMAGES=500 in the environment */
const COUNT = Number(process.env['DAMAGES'] ?? 40)
const BLOCK = 4_096
const folders = startFolders()

/** The bytes as they are afterwards; null: the file is gone. */
type Damage = (bytes: Buffer, chance: Random) => Buffer | null

const damages: readonly [string, Damage][] = [
  [
    'a flipped bit',
    (bytes, { between }) => {
      const byte = between(0, bytes.length)
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << between(0, 8))
      return bytes
    },
  ],
  [
    'a block of zeros',
    (bytes, { between }) => {
      const start = between(0, bytes.length)
      return bytes.fill(0, start, Math.min(bytes.length, start + between(1, BLOCK)))
    },
  ],
  ['a cut', (bytes, { between }) => bytes.subarray(0, between(0, bytes.length))],
  ['a file that is gone', () => null],
]

/** Nothing vouches for what is in a blob; which keys there are, nothing lists; counts are counted again. */
function isBeyond(file: string, isGone: boolean): boolean {
  if (file.startsWith('blobs/')) return !isGone
  return isGone && (file.startsWith('once/') || file.includes('.recipients.'))
}

test.each(damages)('%s is found, wherever it is', { timeout: 120_000 }, async (name, damage) => {
  const chance = random(6, name)
  const files = filesOf(folders.crashed)
  for (let n = 0; n < COUNT / damages.length; n += 1) {
    const file = files[chance.between(0, files.length)] ?? ''
    const dir = folders.again()
    const path = join(dir, file)
    const bytes = await readFile(path)
    const damaged = damage(Buffer.from(bytes), chance)
    if (damaged === null) rmSync(path)
    else await writeFile(path, damaged)
    if (isBeyond(file, damaged === null)) continue

    const found = await examine(dir)
    expect(
      found.findings.map((finding) => finding.file),
      `${name} in ${file}`,
    ).toContain(file)
    const { after, lost } = await repair(dir, { acceptLoss: true, now: 1 })
    expect(after, `${name} in ${file}`).toMatchObject({ isSound: true, findings: [] })
    const content = await folders.open(dir)
    const gone = folders.content.deliveries.filter(
      ({ mid, recipient }) => !content.deliveries.some((one) => one.mid === mid && one.recipient === recipient),
    )
    // what is there is what was accepted, and what is not was told to be lost
    expect(folders.content.messages).toEqual(new Map([...folders.content.messages, ...content.messages]))
    const told = lost.flatMap(({ affected }) => (affected ? [affected.count ?? Infinity] : [0]))
    const messages = new Set(gone.map(({ mid }) => mid)).size
    // of the end of the last journal nobody can tell whether it was acknowledged
    const isTorn = found.findings.some(({ kind }) => kind === 'torn')
    if (isTorn) expect(folders.mids.slice(-4)).toEqual(expect.arrayContaining(gone.map(({ mid }) => mid)))
    else expect(messages, `${name} in ${file}`).toBeLessThanOrEqual(told.reduce((sum, count) => sum + count, 0))
    rmSync(dir, { recursive: true })
  }
})
