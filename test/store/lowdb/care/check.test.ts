import { readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Mistake } from '../../../../server/ground/mistake.ts'
import { examine } from '../../../../server/store/lowdb/care/examine.ts'
import { isDamage } from '../../../../server/store/lowdb/care/finding.ts'
import { writeJson } from '../../../../server/store/lowdb/file.ts'
import { manifestPath, readManifest } from '../../../../server/store/lowdb/manifest.ts'
import { StoreVersion } from '../../../../server/store/store.ts'
import { ALICE } from '../../../contract/store/words.ts'
import { flipBit, journalsOf } from '../rig.ts'
import { digestOf, startFolders } from './folders.ts'

const folders = startFolders()
const SEGMENT = join('messages', 'segment-00000002.json')

const damagesOf = async (dir: string) => (await examine(dir)).findings.filter(isDamage)
const notesOf = async (dir: string) => (await examine(dir)).findings.filter((one) => !isDamage(one))

describe('a sound folder', () => {
  test('is told what it holds, as a hub would find it, and is not changed', async () => {
    const dir = folders.again()
    const before = digestOf(dir)
    const { isSound, runningAs, findings, totals } = await examine(dir)
    expect({ isSound, runningAs, findings }).toEqual({ isSound: true, runningAs: null, findings: [] })
    const content = await folders.open(folders.again())
    expect(content).toEqual(folders.content)
    expect(totals).toMatchObject({
      messages: folders.mids.length,
      open: content.deliveries.filter(({ open }) => open).length,
      recipients: 1,
      journals: 1,
      blobs: 1,
    })
    expect(totals.segments).toBeGreaterThan(4)
    expect(digestOf(dir)).toBe(before)
  })

  test('also right after a clean end, and after a crash in a checkpoint, when files are newer than the manifest', async () => {
    const dir = folders.again()
    const manifest = await readFile(join(dir, 'manifest.json'))
    const [journal = ''] = journalsOf(dir)
    const lines = await readFile(journal)
    await folders.open(dir)
    const ended = await examine(dir)
    expect(ended).toMatchObject({ isSound: true, findings: [] })
    await writeFile(join(dir, 'manifest.json'), manifest)
    for (const later of journalsOf(dir)) rmSync(later)
    await writeFile(journal, lines)
    const crashed = await examine(dir)
    expect(crashed).toMatchObject({ isSound: true, findings: [] })
    expect(crashed.totals).toMatchObject({ messages: ended.totals.messages, open: ended.totals.open })
  })

  test('that is none is told', async () => {
    await expect(examine(join(folders.folder, 'nowhere'))).rejects.toThrow(Mistake)
    await expect(examine(folders.folder)).rejects.toThrow('nothing is stored in')
  })

  test('of a newer program is left to that', async () => {
    const dir = folders.again()
    const manifest = await readManifest(dir)
    if (!manifest) throw new Error('there is no manifest')
    await writeJson(manifestPath(dir), { ...manifest, format: 2 })
    await expect(examine(dir)).rejects.toBeInstanceOf(StoreVersion)
  })
})

describe('damage is named with its file, its place and what is gone with it', () => {
  test('a segment that was changed', async () => {
    const dir = folders.again()
    await flipBit(join(dir, SEGMENT), 300)
    const [mid] = folders.mids.slice(4)
    expect(await damagesOf(dir)).toMatchObject([
      {
        kind: 'segment',
        file: SEGMENT,
        what: expect.stringContaining('its messages are those from'),
        affected: {
          of: 'message',
          count: 4,
          mids: expect.arrayContaining([mid]),
          names: expect.arrayContaining([ALICE]),
        },
      },
    ])
  })

  test.each([
    ['cut', 50, 'it ends too early', (bytes: Buffer) => bytes.subarray(0, 50)],
    ['emptied', 0, 'it is empty', () => Buffer.alloc(0)],
    ['overwritten with zeros', 100, 'it holds bytes that are no text', (bytes: Buffer) => bytes.fill(0, 100, 150)],
    [
      'overwritten with other bytes',
      100,
      'it holds bytes that are no text',
      (bytes: Buffer) => bytes.fill(0xfe, 100, 150),
    ],
  ])('a segment that was %s', async (_, offset, what, damaged) => {
    const dir = folders.again()
    const path = join(dir, SEGMENT)
    await writeFile(path, damaged(await readFile(path)))
    const expected = { kind: 'segment', file: SEGMENT, offset, what: expect.stringContaining(what) }
    expect(await damagesOf(dir)).toMatchObject([expected])
  })

  test('a segment that is missing, or is another than the manifest lists', async () => {
    const dir = folders.again()
    rmSync(join(dir, SEGMENT))
    expect(await damagesOf(dir)).toMatchObject([
      {
        kind: 'segment',
        file: SEGMENT,
        what: expect.stringContaining('it is missing'),
        affected: { count: 4, names: [ALICE, 'bob@user'] },
      },
    ])
    renameSync(join(dir, 'messages', 'segment-00000003.json'), join(dir, SEGMENT))
    const found = await damagesOf(dir)
    expect(found).toHaveLength(2)
    expect(found[0]).toMatchObject({
      file: SEGMENT,
      what: expect.stringMatching(/it holds \d messages from \d+ to \d+, not the 4/),
    })
  })

  test('the manifest', async () => {
    for (const damage of [(path: string) => truncateSync(path, 60), (path: string) => rmSync(path)]) {
      const dir = folders.again()
      damage(join(dir, 'manifest.json'))
      expect(await damagesOf(dir)).toMatchObject([{ kind: 'manifest', file: 'manifest.json' }])
    }
  })

  test('a line of a journal that was acknowledged', async () => {
    const dir = folders.again()
    const [journal = ''] = journalsOf(dir)
    const bytes = await readFile(journal)
    const place = bytes.indexOf('late alice')
    await flipBit(journal, place)
    expect(await damagesOf(dir)).toMatchObject([
      {
        kind: 'journal',
        file: journal.slice(dir.length + 1),
        offset: bytes.lastIndexOf('\n', place) + 1,
        affected: { of: 'line', count: 1, mids: [expect.stringMatching(/^\d{13}$/)], names: [ALICE] },
      },
    ])
  })

  test('a journal that is missing', async () => {
    const dir = folders.again()
    const [journal = ''] = journalsOf(dir)
    rmSync(journal)
    expect(await damagesOf(dir)).toMatchObject([
      { kind: 'journal', file: journal.slice(dir.length + 1), offset: null, what: 'it is missing' },
    ])
  })

  test('documents and keys', async () => {
    const dir = folders.again()
    for (const folder of ['documents', 'once']) {
      const names = readdirSync(join(dir, folder))
      for (const name of names) truncateSync(join(dir, folder, name), statSync(join(dir, folder, name)).size - 3)
    }
    const found = await damagesOf(dir)
    expect(found.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['documents', 'keys']))
    expect(found.flatMap(({ affected }) => affected?.names ?? [])).toContain('kept')
  })

  test('a blob that a message names', async () => {
    const dir = folders.again()
    const [blob = ''] = readdirSync(join(dir, 'blobs'))
    rmSync(join(dir, 'blobs', blob))
    expect(await damagesOf(dir)).toMatchObject([{ kind: 'blob', file: join('blobs', blob) }])
  })
})

describe('what costs nothing is a note, and the folder is sound', () => {
  test('a torn end, half-written files, old journals, blobs that no message names, counts', async () => {
    const dir = folders.again()
    const [journal = ''] = journalsOf(dir)
    truncateSync(journal, statSync(journal).size - 3)
    writeFileSync(join(dir, 'messages', 'segment-00000001.json.tmp'), 'half')
    writeFileSync(join(dir, 'journal-0000000001.log'), '')
    writeFileSync(join(dir, 'blobs', '00000000-0000-0000-0000-000000000000'), '')
    await flipBit(join(dir, 'messages', 'segment-00000001.recipients.json'), 30)
    expect((await examine(dir)).isSound).toBe(true)
    expect((await notesOf(dir)).map(({ kind, file }) => `${kind} ${file}`).toSorted()).toEqual([
      'counts messages/segment-00000001.recipients.json',
      'leftover journal-0000000001.log',
      'leftover messages/segment-00000001.json.tmp',
      'orphan blobs/00000000-0000-0000-0000-000000000000',
      `torn ${journal.slice(dir.length + 1)}`,
    ])
  })
})
