/** What is wrong with a config, in lines that say where and what to do. Values are never repeated: they may be secrets. */
import type * as z from 'zod'
import type { ConfigKey } from './keys.ts'

type Issue = z.core.$ZodIssue

/** Every mistake of a config at once. */
export class ConfigMistakes extends Error {
  override readonly name = 'ConfigMistakes'
  readonly problems: readonly string[]

  constructor(where: string, problems: readonly string[]) {
    super([`the config has ${count(problems)} (${where}):`, ...problems.map((line) => `  ${line}`)].join('\n'))
    this.problems = problems
  }
}

/** One line for each mistake, an unknown key with the nearest known one. */
export function problemsOf(issues: readonly Issue[], keys: readonly ConfigKey[]): readonly string[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [`${pathText(issue.path)}: ${reasonOf(issue)}`]
    return issue.keys.map((key) => unknownKey([...issue.path, key], keys))
  })
}

/** `http.prot: there is no such key; did you mean http.port?` */
export function unknownKey(path: readonly PropertyKey[], keys: readonly ConfigKey[]): string {
  const near = nearest(path.map(plain), keys)
  const hint = near === null ? '' : `; did you mean ${near}?`
  return `${pathText(path)}: there is no such key${hint}`
}

/** `webhook.clients[0].url` */
export function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the config'
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at ? '.' : ''}${String(part)}`)).join('')
}

function reasonOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  if (issue.code === 'too_small' && issue.origin === 'string') return 'is empty'
  return issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, '')
}

/** A key beside it first, then the same word elsewhere in the config. */
function nearest(path: readonly string[], keys: readonly ConfigKey[]): string | null {
  const name = path.at(-1) ?? ''
  const parent = path.slice(0, -1).join('.')
  const siblings = keys.filter((key) => key.path.slice(0, -1).join('.') === parent)
  const found = closest(name, siblings) ?? closest(name, keys)
  return found && found.path.join('.').replaceAll('.[]', '[]')
}

function closest(name: string, keys: readonly ConfigKey[]): ConfigKey | null {
  let best: ConfigKey | null = null
  let least = Math.floor(name.length / 3) + 1
  for (const key of keys) {
    const far = distance(name.toLowerCase(), (key.path.at(-1) ?? '').toLowerCase())
    if (far >= least) continue
    best = key
    least = far
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours from one word to the other. */
function distance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    before = last
    last = next
  }
  return last[to.length] ?? 0
}

function plain(part: PropertyKey): string {
  return typeof part === 'number' ? '[]' : String(part)
}

function count(problems: readonly string[]): string {
  return problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`
}
