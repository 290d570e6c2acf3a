/** Finds the channels by their files: a file in this folder that default-exports a channel is one. */
import { readdirSync } from 'node:fs'
import type { Channel } from './channel.ts'

const notChannels = new Set(['channel', 'index', 'outbound'])

/** All channels by name, in alphabetical order. Runs from `.ts` sources and from the build alike. */
export async function loadChannels(): Promise<ReadonlyMap<string, Channel>> {
  const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const names = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith(suffix) && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -suffix.length))
    .filter((name) => !notChannels.has(name))
    .toSorted()
  const channels = new Map<string, Channel>()
  for (const name of names) {
    const module: unknown = await import(new URL(`./${name}${suffix}`, import.meta.url).href)
    channels.set(name, channelOf(name, module))
  }
  return channels
}

function channelOf(file: string, module: unknown): Channel {
  const channel = typeof module === 'object' && module !== null && 'default' in module ? module.default : null
  if (!isChannel(channel) || channel.name !== file) {
    throw new Error(`server/channels/${file} does not default-export the channel "${file}"`)
  }
  return channel
}

function isChannel(value: unknown): value is Channel {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'config' in value &&
    'configured' in value &&
    typeof value.configured === 'function'
  )
}
