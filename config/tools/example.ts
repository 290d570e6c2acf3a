/** config/config.example.yaml: every key with its default; keys without one stand as comments. */
import { stringify } from 'yaml'
import type { ConfigKey } from '../../server/config/keys.ts'

const HEAD = `# Every key of Carillon with its default. Keep only what you change: cp config/config.example.yaml config.yaml
# Carillon 的全部配置项及默认值,只需保留要修改的部分。
# Written by "npm run docs". Meanings and environment names: config/README.md
`

/** Before a key that is not set, until the page is whole; prose has `# `. */
const UNSET = '#~'

/** @param keys of the whole schema, in its order */
export function exampleOf(keys: readonly ConfigKey[]): string {
  const blocks = childrenOf([], keys).map((key) => blockOf(key, keys).join('\n'))
  return `${HEAD}\n${blocks.join('\n\n').replaceAll(UNSET, '# ')}\n`
}

function blockOf(key: ConfigKey, keys: readonly ConfigKey[]): string[] {
  const about = [key.description, key.zh].filter((text) => text !== '').map((text) => `# ${text}`)
  const name = key.path.at(-1) ?? ''
  if (key.kind === 'value') return [...about, valueOf(key, name)]
  if (key.kind === 'list') return [...about, `${name}: []`, ...comment(itemOf(key, keys))]
  const children = childrenOf(key.path, keys)
  const inside = children.flatMap((child) => blockOf(child, keys)).map((line) => `  ${line}`)
  const isSet = inside.some((line) => !line.trimStart().startsWith('#')) && !children.some((child) => child.isRequired)
  const lines = [`${name}:`, ...inside]
  return [...about, ...(isSet ? lines : comment(lines.map((line) => line.replace(UNSET, ''))))]
}

/** One element of a list, its keys with the meaning behind them. */
function itemOf(list: ConfigKey, keys: readonly ConfigKey[]): string[] {
  return childrenOf([...list.path, '[]'], keys).map((key, at) => {
    const value = key.kind === 'section' ? '{…}' : key.type
    const must = key.isRequired ? ', required' : ''
    return `${at === 0 ? '-' : ' '} ${key.path.at(-1) ?? ''}: <${value}${must}>  ${key.description}`
  })
}

function valueOf(key: ConfigKey, name: string): string {
  if (key.default === undefined) return `${UNSET}${name}: <${key.type}>`
  return stringify({ [name]: key.default }, { lineWidth: 0 }).trimEnd()
}

function childrenOf(path: readonly string[], keys: readonly ConfigKey[]): readonly ConfigKey[] {
  return keys.filter((key) => key.path.length === path.length + 1 && path.every((part, at) => part === key.path[at]))
}

function comment(lines: readonly string[]): string[] {
  return lines.map((line) => `${UNSET}${line}`)
}
