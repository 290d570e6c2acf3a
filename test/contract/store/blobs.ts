import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Store } from '../../../server/store/store.ts'
import type { Bench } from './bench.ts'
import { ALICE, accept } from './words.ts'

async function* partsOf(parts: readonly Uint8Array[], seen?: { taken: number; ended: boolean }) {
  try {
    for (const part of parts) {
      if (seen) seen.taken += 1
      await nextTurn()
      yield part
    }
  } finally {
    if (seen) seen.ended = true
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)

async function readAll(store: Store, id: string): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of store.readBlob(id)) parts.push(part)
  return Buffer.concat(parts).toString()
}

export function testBlobs(bench: Bench): void {
  test('give back the bytes that were put, each under its own id', async () => {
    const { store } = bench
    const big = 'x'.repeat(200_000)
    const [one, two, none] = await Promise.all([
      store.putBlob(partsOf([bytes('he'), bytes(''), bytes('llo 你好')]), 1_000),
      store.putBlob(partsOf(Array.from({ length: 4 }, () => bytes(big))), 800_000),
      store.putBlob(partsOf([]), 10),
    ])
    expect([one.size, two.size, none.size]).toEqual([12, 800_000, 0])
    expect(new Set([one.id, two.id, none.id]).size).toBe(3)
    expect(await readAll(store, one.id)).toBe('hello 你好')
    expect(await readAll(store, two.id)).toBe(big.repeat(4))
    expect(await readAll(store, two.id)).toHaveLength(800_000)
    expect(await readAll(store, none.id)).toBe('')
  })

  test('stop at the limit, take no more of the source, and leave nothing', async () => {
    const { store } = bench
    const seen = { taken: 0, ended: false }
    const parts = Array.from({ length: 50 }, () => bytes('0123456789'))
    await expect(store.putBlob(partsOf(parts, seen), 25)).rejects.toBeInstanceOf(Error)
    expect(seen.ended).toBe(true)
    expect(seen.taken).toBeLessThan(10)
    const { id } = await store.putBlob(partsOf(parts.slice(0, 2)), 20)
    expect(await readAll(store, id)).toBe('01234567890123456789')
  })

  test('fail as their source fails', async () => {
    async function* broken() {
      yield bytes('some')
      throw new Error('the line went dead')
    }
    await expect(bench.store.putBlob(broken(), 100)).rejects.toThrow('the line went dead')
  })

  test.each(['no such blob', '', '../manifest.json', '/etc/passwd', '__proto__'])(
    'there is none named %j',
    async (id) => {
      await expect(readAll(bench.store, id)).rejects.toBeInstanceOf(Error)
    },
  )

  test('survive a restart with the message that names them', async ({ skip }) => {
    skip(!bench.persistent, 'nothing outlives this store')
    const { id } = await bench.store.putBlob(partsOf([bytes('mail '), bytes('source')]), 100)
    const mid = await accept(bench.store, bench.clock, [ALICE], { message: { blobs: [id] } })
    await bench.reopen()
    expect((await bench.store.message(mid))?.blobs).toEqual([id])
    expect(await readAll(bench.store, id)).toBe('mail source')
  })
}
