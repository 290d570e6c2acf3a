/** Finds the channels by their files: a file in this folder that default-exports a channel is one. */
import { readdirSync } from 'node:fs'
import type { Channel } from './channel.ts'

/**
 * All channels by name, in alphabetical order. Runs from `.ts` sources and from the build alike.
 * @throws Error for a default export that is not the channel of its file's name
 */
export async function loadChannels(): Promise<ReadonlyMap<string, Channel>> {
  const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const files = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith(suffix) && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -suffix.length))
    .toSorted()
  const channels = new Map<string, Channel>()
  for (const file of files) {
    const module: unknown = await import(new URL(`./${file}${suffix}`, import.meta.url).href)
    const channel = channelOf(file, module)
    if (channel) channels.set(channel.name, channel)
  }
  return channels
}

/** null for a file without a default export: a part of its neighbours. */
function channelOf(file: string, module: unknown): Channel | null {
  if (typeof module !== 'object' || module === null || !('default' in module)) return null
  if (isChannel(module.default) && module.default.name === file) return module.default
  throw new Error(`server/channels/${file} does not default-export the channel "${file}"`)
}

function isChannel(value: unknown): value is Channel {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'platform' in value &&
    'configured' in value &&
    typeof value.configured === 'function'
  )
}
