/** Everything in config/ that is written from the schema and the channels. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Channel } from '../../server/channels/channel.ts'
import { keysOf } from '../../server/config/keys.ts'
import { configSchema } from '../../server/config/schema.ts'
import { channelPageOf } from './channel-page.ts'
import { exampleOf } from './example.ts'
import { referenceOf } from './reference.ts'

const CHANNELS = 'channels'

/** What each file in config/ should hold, by its name there. */
export function pagesOf(channels: ReadonlyMap<string, Channel>): ReadonlyMap<string, string> {
  const keys = keysOf(configSchema(channels))
  const all = [...channels.values()]
  return new Map([
    ['README.md', referenceOf(keys, all)],
    ['config.example.yaml', exampleOf(keys, all)],
    ...all.map((channel) => [`${CHANNELS}/${channel.name}.md`, channelPageOf(channel, keys)] as const),
  ])
}

/** Files that are not as they should be, and pages of channels that are no more. */
export function staleIn(
  folder: string,
  pages: ReadonlyMap<string, string>,
): { readonly changed: readonly string[]; readonly extra: readonly string[] } {
  const changed = [...pages].filter(([name, text]) => readIfThere(join(folder, name)) !== text).map(([name]) => name)
  const place = join(folder, CHANNELS)
  const found = existsSync(place) ? readdirSync(place).map((name) => `${CHANNELS}/${name}`) : []
  return { changed, extra: found.filter((name) => !pages.has(name)) }
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}
