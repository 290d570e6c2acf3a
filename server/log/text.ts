/** Lines of the log as key=value pairs, for people and for tools that read logfmt. */
import { escapeHidden } from '../ground/log.ts'

const BARE = /^[^\s"'=\\\p{Cc}\p{Cf}\u2028\u2029]+$/u
const FIRST = ['time', 'level', 'msg']

/** @param line one object of JSON, as pino writes it. @returns `time=… level=info msg="…" key=value`, one line too */
export function textOf(line: string): string {
  const fields: unknown = JSON.parse(line)
  if (!isObject(fields)) return line
  const rest = Object.keys(fields).filter((key) => !FIRST.includes(key))
  const pairs = [...FIRST, ...rest].flatMap((key) => (key in fields ? pairsOf(key, fields[key]) : []))
  return `${pairs.join(' ')}\n`
}

/** What is nested gets a dotted key: `err.type=Error`. */
function pairsOf(key: string, value: unknown): string[] {
  if (isObject(value)) return Object.entries(value).flatMap(([inner, what]) => pairsOf(`${key}.${inner}`, what))
  return [`${quoted(key)}=${quoted(typeof value === 'string' ? value : JSON.stringify(value))}`]
}

function quoted(text: string): string {
  return BARE.test(text) ? text : escapeHidden(JSON.stringify(text))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
