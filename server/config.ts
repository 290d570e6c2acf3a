/** The config: flags over environment over file over defaults, checked as a whole before anything starts. */
import type * as z from 'zod'
import { loadChannels } from './channels/index.ts'
import { endpointsOf, type RecipientEndpoint } from './config/endpoints.ts'
import { readEnvironment } from './config/environment.ts'
import { readConfigFile, type ConfigFile } from './config/file.ts'
import { keysOf } from './config/keys.ts'
import { isLayer, joinLayers, type Layer, layerOf } from './config/layers.ts'
import { ConfigMistakes, problemsOf } from './config/problems.ts'
import { resolveReferences } from './config/references.ts'
import { configSchema, type Settings } from './config/schema.ts'
import { keptToken, type KeptToken } from './config/token.ts'
import { isLoopback, warningsOf } from './config/warnings.ts'

export { ConfigMistakes } from './config/problems.ts'

/** A checked config, nothing left open. */
export interface Config extends Omit<Settings, 'server'> {
  readonly token: string
  readonly http: Settings['http'] & {
    /** undefined: all interfaces */
    readonly host: string | undefined
    readonly verifyToken: boolean
  }
  /** what the sections of the channels describe */
  readonly endpoints: readonly RecipientEndpoint[]
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
}

/**
 * Finds and checks the config. Without a token in it, one is made and kept in the data directory.
 * @throws ConfigMistakes with every mistake at once
 */
export async function readConfig({ flags, env, cwd }: Surroundings): Promise<ReadConfig> {
  const channels = await loadChannels()
  const schema = configSchema(channels)
  const keys = keysOf(schema)
  const file = readConfigFile(flags.config, cwd)
  const environment = readEnvironment(env, keys)
  const references = resolveReferences(file?.value ?? {}, env)
  if (!isLayer(references.value)) throw new ConfigMistakes(placeOf(file), ['the file does not hold a section of keys'])

  const early = [...environment.problems, ...references.problems]
  const layers = [references.value, environment.layer, layerOfFlags(flags)].map((layer) => onePort(layer, early))
  const parsed = schema.safeParse(layers.reduce(joinLayers, {}))
  const problems = [...early, ...(parsed.success ? [] : problemsOf(parsed.error.issues, keys))]
  if (!parsed.success || problems.length > 0) throw new ConfigMistakes(placeOf(file), problems)

  const settings = parsed.data
  const { endpoints, problems: wrongNames, warnings } = endpointsOf(channels, settings)
  if (wrongNames.length > 0) throw new ConfigMistakes(placeOf(file), wrongNames)

  const kept = settings.token === undefined ? keptToken(settings.data) : null
  const token = settings.token ?? kept?.token ?? ''
  const config: Config = { ...settings, token, http: openness(settings.http, file !== null), endpoints }
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
  const parsed = schema.safeParse({ ...values, ...sections })
  if (!parsed.success) throw new ConfigMistakes('given values', problemsOf(parsed.error.issues, keysOf(schema)))
  const { endpoints, problems } = endpointsOf(channels, parsed.data)
  if (problems.length > 0) throw new ConfigMistakes('given values', problems)
  return { ...parsed.data, token: values.token, http: openness(parsed.data.http, false), endpoints }
}

/** With a file the hub listens and lets pushes in as mpush did; without one it keeps to itself. */
function openness(http: Settings['http'], hasFile: boolean): Config['http'] {
  const host = http.host ?? (hasFile ? undefined : '127.0.0.1')
  const verifyToken = http.verifyToken ?? (!hasFile && !isLoopback(host))
  return { ...http, host, verifyToken }
}

/** `server.port` becomes `http.port`; a layer that gives two different ones is wrong. */
function onePort(layer: Layer, problems: string[]): Layer {
  const { server, ...rest } = layer
  if (!isLayer(server) || server['port'] === undefined) return layer
  const { port, ...others } = server
  const other = isLayer(rest['http']) ? rest['http']['port'] : undefined
  if (other !== undefined && other !== port)
    problems.push('server.port and http.port differ: they are one setting, keep one')
  return joinLayers({ ...rest, server: others }, { http: { port } })
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
