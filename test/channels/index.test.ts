import { expect, test } from 'vitest'
import { loadChannels } from '../../server/channels/index.ts'

test('a channel is found by its file; the parts beside it are none', async () => {
  const channels = await loadChannels()
  expect(channels.has('webhook')).toBe(true)
  for (const part of ['index', 'channel', 'outbound', 'routes']) expect(channels.has(part)).toBe(false)
  expect(channels.get('webhook')?.configured({})).toEqual([])
})
