/** What is wrong with a config, in lines that say where and what to do. Values are never repeated: they may be secrets. */
import type * as z from 'zod'
import { Mistake } from '../ground/mistake.ts'
import { nearest } from '../ground/nearest.ts'
import { ANY_NAME, type ConfigKey, ELEMENT, nameOf } from './keys.ts'

type Issue = z.core.$ZodIssue

/** Every mistake of a config at once. */
export class ConfigMistakes extends Mistake {
  override readonly name = 'ConfigMistakes'
  readonly problems: readonly string[]

  constructor(where: string, problems: readonly string[]) {
    super([`the config has ${count(problems)} (${where}):`, ...problems.map((line) => `  ${line}`)].join('\n'))
    this.problems = problems
  }
}

/** One line for each mistake, an unknown key with the nearest known one. */
export function problemsOf(issues: readonly Issue[], keys: readonly ConfigKey[]): readonly string[] {
  return issues.flatMap(insideUnion).flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [`${pathText(issue.path)}: ${reasonOf(issue)}`]
    return issue.keys.map((key) => unknownKey([...issue.path, key], keys))
  })
}

/** Of several alternatives, what is wrong with the one that comes nearest. */
function insideUnion(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [best] = issue.errors
    .filter((branch) => branch.every(({ code, path }) => code !== 'invalid_type' || path.length > 0))
    .toSorted((one, other) => one.length - other.length)
  if (!best) return [issue]
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(insideUnion)
}

/** `http.prot: there is no such key; did you mean http.port?` */
export function unknownKey(path: readonly PropertyKey[], keys: readonly ConfigKey[]): string {
  return `${pathText(path)}: there is no such key${hintOf(path.map(plain), keys)}`
}

/** A key may be right, and of another alternative: that of one provider beside the name of another. */
function hintOf(path: readonly string[], keys: readonly ConfigKey[]): string {
  const same = keys.filter((key) => key.path.length === path.length && startsWith(key, path))
  if (same.length > 0) {
    const words = [...new Set(same.flatMap(({ only }) => only))]
    return words.length === 0 ? '' : `; it belongs to ${words.join(', ')}`
  }
  const near = nearestKey(path, keys)
  return near === null ? '' : `; did you mean ${near}?`
}

/** `webhook.clients[0].url` */
export function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the config'
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at ? '.' : ''}${String(part)}`)).join('')
}

function reasonOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return `expected ${typesOf(issue.errors.flat())}`
  if (issue.code === 'too_small' && issue.origin === 'string') return 'is empty'
  return issue.message.replace(/^(Invalid [a-z ]+|Too small|Too big)[:.] (?=.)/, '').replace(/^E(?=xpected )/, 'e')
}

function typesOf(issues: readonly Issue[]): string {
  const types = issues.flatMap((issue) => (issue.code === 'invalid_type' ? [issue.expected] : []))
  return [...new Set(types)].join(' or ')
}

/**
 * A key beside it first, then the same word further down, then elsewhere in the config; what belongs to another
 * platform is no help.
 */
function nearestKey(path: readonly string[], keys: readonly ConfigKey[]): string | null {
  const name = path.at(-1) ?? ''
  const parent = path.slice(0, -1)
  const below = keys.filter((key) => key.path.length > parent.length && startsWith(key, parent))
  const beside = below.filter((key) => key.path.length === path.length)
  const elsewhere = keys.filter((key) => !key.path.includes(ANY_NAME))
  const found = closest(name, beside) ?? closest(name, below) ?? closest(name, elsewhere)
  if (!found) return null
  // names of the operator's own as he wrote them
  const isBelow = below.includes(found)
  return nameOf(found.path.map((part, at) => (isBelow && part === ANY_NAME ? (parent[at] ?? part) : part)))
}

/** Whether the key is at a path or below it; names of the operator's own are any. */
function startsWith({ path: known }: ConfigKey, path: readonly string[]): boolean {
  return path.every((part, at) => part === known[at] || known[at] === ANY_NAME)
}

function closest(name: string, keys: readonly ConfigKey[]): ConfigKey | null {
  return nearest(name, keys, (key) => key.path.at(-1) ?? '')
}

function plain(part: PropertyKey): string {
  return typeof part === 'number' ? ELEMENT : String(part)
}

function count(problems: readonly string[]): string {
  return problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`
}
