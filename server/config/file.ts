/** The config file: where it is looked for, and how it is read. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import JSON5 from 'json5'
import { parseDocument } from 'yaml'
import { ConfigMistakes } from './problems.ts'

const PLACES = ['config.json', 'config.yaml', 'config/config.yaml', 'config/config.json']
const OTHERS_CAN_READ = 0o044

export interface ConfigFile {
  /** as it was found or given */
  readonly path: string
  readonly value: unknown
  readonly othersCanRead: boolean
}

/**
 * The file that was asked for, or the first that is found; null when there is none.
 * @throws ConfigMistakes when it cannot be read or is neither JSON5 nor YAML
 */
export function readConfigFile(asked: string | undefined, cwd: string): ConfigFile | null {
  const path = asked ?? PLACES.find((place) => existsSync(resolve(cwd, place)))
  if (path === undefined) return null
  const whole = resolve(cwd, path)
  const text = readText(whole, path)
  return { path, value: parse(text, path), othersCanRead: othersCanRead(whole) }
}

function readText(whole: string, path: string): string {
  try {
    return readFileSync(whole, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    throw new ConfigMistakes(path, [`the file cannot be read: ${codeOf(error)}`])
  }
}

/** JSON5 as mpush has it, YAML as PushServer has it; a file of another ending shows by its first character. */
function parse(text: string, path: string): unknown {
  const isJson = /\.json5?$/i.test(path) || (!/\.ya?ml$/i.test(path) && text.trimStart().startsWith('{'))
  return isJson ? parseJson5(text, path) : parseYaml(text, path)
}

function parseJson5(text: string, path: string): unknown {
  try {
    return JSON5.parse(text)
  } catch (error) {
    throw new ConfigMistakes(path, [`is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`])
  }
}

function parseYaml(text: string, path: string): unknown {
  const document = parseDocument(text, { prettyErrors: false })
  if (document.errors.length === 0) return document.toJS() ?? {}
  throw new ConfigMistakes(
    path,
    document.errors.map(({ message, pos }) => `is not YAML: line ${lineOf(text, pos[0])}: ${message}`),
  )
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

function othersCanRead(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & OTHERS_CAN_READ) !== 0
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
