/** `CARILLON_SECTION__KEY`: any key of the config from the environment. Case and single underscores do not matter. */
import JSON5 from 'json5'
import { type ConfigKey, isFixed, nameOf } from './keys.ts'
import { type Layer, layerOf } from './layers.ts'
import { unknownKey } from './problems.ts'

const PREFIX = 'CARILLON_'
/** where the clients' commands look for the hub */
const OF_CLIENTS: readonly string[] = ['CARILLON_URL']

export interface FromEnvironment {
  readonly layer: Layer
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** The name by which a key is set: `CARILLON_HTTP__WAIT_TIMEOUT`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((part) => part.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase())
  return PREFIX + words.join('__')
}

/** Lists and sections are written as JSON5, texts as they are. SERVER_PORT is server.port. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  keys: readonly ConfigKey[],
): FromEnvironment {
  const problems: string[] = []
  const warnings: string[] = []
  const entries: [readonly string[], unknown][] = []

  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === '' || OF_CLIENTS.includes(name)) continue
    const path = name === 'SERVER_PORT' ? ['server', 'port'] : pathOf(name)
    if (!path) continue
    const [key, ...others] = keys.filter((known) => isFixed(known) && sameWords(known.path, path))
    const around = namesAround(path, keys)
    if (key) entries.push([key.path, [key, ...others].every(({ isText }) => isText) ? text : valueOf(text)])
    else if (around)
      problems.push(`${name}: set all of ${nameOf(around.path)} as JSON in ${environmentName(around.path)}`)
    else if (path.length > 1) problems.push(`${name}: ${unknownKey(path, keys)}`)
    // an orchestrator sets names like CARILLON_PORT for a service of this name, so this is no error
    else warnings.push(`${name} in the environment is not a key of the config and is ignored`)
  }
  return { layer: layerOf(entries), problems, warnings }
}

function pathOf(name: string): string[] | null {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length).toLowerCase().split('__') : null
}

/** The section around it whose names are the operator's own: their case and underscores would be lost here. */
function namesAround(path: readonly string[], keys: readonly ConfigKey[]): ConfigKey | undefined {
  return keys.find((key) => key.kind === 'names' && sameWords(key.path, path.slice(0, key.path.length)))
}

function sameWords(known: readonly string[], given: readonly string[]): boolean {
  return known.length === given.length && known.every((part, at) => bare(part) === bare(given[at] ?? ''))
}

function bare(part: string): string {
  return part.replaceAll('_', '').toLowerCase()
}

function valueOf(text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch {
    return text
  }
}
