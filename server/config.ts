/** The config: flags over environment over file over defaults, checked as a whole before anything starts. */
import type * as z from 'zod'
import { loadChannels } from './channels/index.ts'
import type { Reach } from './channels/reach.ts'
import { reachesOf } from './config/endpoints.ts'
import { readEnvironment } from './config/environment.ts'
import { readConfigFile, type ConfigFile } from './config/file.ts'
import { keysOf } from './config/keys.ts'
import { isLayer, joinLayers, type Layer, layerOf } from './config/layers.ts'
import { ConfigMistakes, problemsOf } from './config/problems.ts'
import { backoffOf } from './config/queue.ts'
import { resolveReferences } from './config/references.ts'
import { configSchema, type Settings } from './config/schema.ts'
import { keptToken, type KeptToken, tokenIn } from './config/token.ts'
import { isLoopback, warningsOf } from './config/warnings.ts'

export { ConfigMistakes } from './config/problems.ts'

/** A checked config, nothing left open. */
export interface Config extends Settings {
  readonly token: string
  readonly http: Settings['http'] & {
    /** undefined: all interfaces */
    readonly host: string | undefined
    readonly verifyToken: boolean
  }
  /** who can be reached through channels, and how */
  readonly reaches: readonly Reach[]
}

export interface Flags {
  readonly config?: string | undefined
  readonly data?: string | undefined
  readonly port?: number | undefined
  readonly host?: string | undefined
}

export interface ReadConfig {
  readonly config: Config
  /** the file that was read, null when there is none */
  readonly file: string | null
  /** the hub's own token, when the config names none */
  readonly kept: KeptToken | null
  /** lines for the operator; the hub starts all the same */
  readonly warnings: readonly string[]
}

export interface Surroundings {
  readonly flags: Flags
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** nothing is made in the data directory: where no token is, it is empty */
  readonly readOnly?: boolean
}

/**
 * Finds and checks the config. Without a token in it, one is made and kept in the data directory.
 * @throws ConfigMistakes with every mistake at once
 */
export async function readConfig({ flags, env, cwd, readOnly = false }: Surroundings): Promise<ReadConfig> {
  const channels = await loadChannels()
  const schema = configSchema(channels)
  const keys = keysOf(schema)
  const file = readConfigFile(flags.config, cwd)
  const environment = readEnvironment(env, keys)
  const references = resolveReferences(file?.value ?? {}, env)
  if (!isLayer(references.value)) throw new ConfigMistakes(placeOf(file), ['the file does not hold a section of keys'])

  const early = [...environment.problems, ...references.problems]
  const layers = [references.value, environment.layer, layerOfFlags(flags)].map((layer) => oneDoor(layer, early))
  const written = layers.reduce(joinLayers, {})
  const parsed = schema.safeParse(written)
  const problems = [...early, ...(parsed.success ? [] : problemsOf(parsed.error.issues, keys))]
  if (!parsed.success || problems.length > 0) throw new ConfigMistakes(placeOf(file), problems)

  const settings = parsed.data
  const { reaches, problems: wrong, warnings } = reachesOf(channels, settings, written, backoffOf(settings.queue))
  if (wrong.length > 0) throw new ConfigMistakes(placeOf(file), wrong)

  const tokenOf = readOnly ? tokenIn : keptToken
  const kept = settings.token === undefined ? tokenOf(settings.data) : null
  const token = settings.token ?? kept?.token ?? ''
  const config: Config = { ...settings, token, http: openness(settings.http, file !== null), reaches }
  return {
    config,
    file: file?.path ?? null,
    kept,
    warnings: [...environment.warnings, ...readable(file), ...warnings, ...warningsOf(config)],
  }
}

/**
 * A config from values instead of files, for a hub inside another program: as without a config file.
 * @param sections of channels, by their names
 * @throws ConfigMistakes
 */
export async function configOf(
  values: z.input<ReturnType<typeof configSchema>> & { readonly token: string },
  sections: Readonly<Record<string, unknown>> = {},
): Promise<Config> {
  const channels = await loadChannels()
  const schema = configSchema(channels)
  const early: string[] = []
  const written = oneDoor({ ...values, ...sections }, early)
  const parsed = schema.safeParse(written)
  if (!parsed.success) throw new ConfigMistakes('given values', problemsOf(parsed.error.issues, keysOf(schema)))
  const { reaches, problems } = reachesOf(channels, parsed.data, written, backoffOf(parsed.data.queue))
  if (early.length + problems.length > 0) throw new ConfigMistakes('given values', [...early, ...problems])
  return { ...parsed.data, token: values.token, http: openness(parsed.data.http, false), reaches }
}

/** With a file the hub listens and lets pushes in as mpush did; without one it keeps to itself. */
function openness(http: Settings['http'], hasFile: boolean): Config['http'] {
  const host = http.host ?? (hasFile ? undefined : '127.0.0.1')
  const verifyToken = http.verifyToken ?? (!hasFile && !isLoopback(host))
  return { ...http, host, verifyToken }
}

/** `server.port` and `server.host` become those of `http`; a layer that gives two different ones is wrong. */
function oneDoor(layer: Layer, problems: string[]): Layer {
  const { server, ...rest } = layer
  if (!isLayer(server)) return layer
  const { port, host, ...others } = server
  const moved = Object.entries({ port, host }).filter(([, value]) => value !== undefined)
  if (moved.length === 0) return layer
  for (const [key, value] of moved) {
    const other = isLayer(rest['http']) ? rest['http'][key] : undefined
    if (other !== undefined && other !== value)
      problems.push(`server.${key} and http.${key} differ: they are one setting, keep one`)
  }
  return joinLayers({ ...rest, server: others }, { http: Object.fromEntries(moved) })
}

function layerOfFlags({ data, port, host }: Flags): Layer {
  const given: [readonly string[], unknown][] = [
    [['data'], data],
    [['http', 'port'], port],
    [['http', 'host'], host],
  ]
  return layerOf(given.filter(([, value]) => value !== undefined))
}

function readable(file: ConfigFile | null): readonly string[] {
  if (!file?.othersCanRead) return []
  return [`${file.path} can be read by other users of this machine: chmod 600 ${file.path}`]
}

function placeOf(file: ConfigFile | null): string {
  return file?.path ?? 'flags and environment'
}
