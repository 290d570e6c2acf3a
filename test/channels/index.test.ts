import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadChannels } from '../../server/channels/index.ts'

const folder = new URL('../../server/channels/', import.meta.url)

test('a channel is found by its file; the parts beside it are none', async () => {
  const isChannel = (file: string) => /^export default/m.test(readFileSync(new URL(file, folder), 'utf8'))
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'))
  const channels = await loadChannels()
  expect([...channels.keys()].map((name) => `${name}.ts`)).toEqual(files.filter(isChannel).toSorted())
  expect([...channels.keys()]).toContain('webhook')
  expect([...channels].map(([name, channel]) => [name, channel.name])).toEqual(
    [...channels.keys()].map((name) => [name, name]),
  )
})

test('one without a section of its own names no recipients', async () => {
  const channels = await loadChannels()
  const backoff = { firstMs: 1, maxMs: 1, tries: 1 }
  for (const [name, channel] of channels) {
    // the last line of defence stands unless told otherwise
    if (name !== 'system') expect(channel.configured(undefined, backoff)).toEqual([])
  }
  expect(channels.get('webhook')?.configured({}, backoff)).toEqual([])
})
