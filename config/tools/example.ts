/** config/config.example.yaml: every key with its default; keys without one stand as comments. */
import { stringify } from 'yaml'
import type { Channel } from '../../server/channels/channel.ts'
import { ANY_NAME, type ConfigKey, ELEMENT, meaningOf } from '../../server/config/keys.ts'
import { platformPath } from './channel-page.ts'

const HEAD = `# Every key of Carillon with its default. Keep only what you change: cp config/config.example.yaml config.yaml
# Carillon 的全部配置项及默认值,只需保留要修改的部分。
# Written by "npm run docs". Meanings and environment names: config/README.md
`

/** Before a key that is not set, until the page is whole; prose has `# `. */
const UNSET = '#~'

/** @param keys of the whole schema, in its order */
export function exampleOf(keys: readonly ConfigKey[], channels: readonly Channel[]): string {
  const [recipients] = platformPath('')
  const blocks = childrenOf([], keys).map((key) => {
    const isRecipients = key.path[0] === recipients
    return [...aboutOf(key), ...(isRecipients ? recipientsOf(key, channels) : blockOf(key, keys))].join('\n')
  })
  return `${HEAD}\n${blocks.join('\n\n').replaceAll(UNSET, '# ')}\n`
}

function aboutOf(key: ConfigKey): string[] {
  return meaningOf(key)
    .filter((text) => text !== '')
    .map((text) => `# ${text}`)
}

function blockOf(key: ConfigKey, keys: readonly ConfigKey[]): string[] {
  const name = key.path.at(-1) ?? ''
  if (key.kind === 'value') return valueOf(key, name)
  if (key.kind === 'list') return [`${name}: []`, ...comment(elementOf(key, keys))]
  if (key.kind === 'names') return [`${name}: {}`, ...comment(namedOf(key, keys))]
  const children = childrenOf(key.path, keys)
  const inside = children.flatMap((child) => [...aboutOf(child), ...blockOf(child, keys)]).map((line) => `  ${line}`)
  // a part that is left out is not the same as one with nothing but defaults
  const isThere = key.path.length === 1 || key.default !== undefined
  const isSet =
    isThere && inside.some((line) => !line.trimStart().startsWith('#')) && !children.some((child) => child.isRequired)
  const lines = [`${name}:`, ...inside]
  return isSet ? lines : comment(lines.map((line) => line.replace(UNSET, '')))
}

/** One recipient with all platforms, each as its channel shows it. */
function recipientsOf(key: ConfigKey, channels: readonly Channel[]): string[] {
  const platforms = channels.flatMap(({ name, title, example }) => [
    `# ${title.en} · ${title.zh}: config/channels/${name}.md`,
    ...yamlOf({ [name]: example }),
  ])
  const recipient = ['name: Operations', 'strategy: failover', 'platforms:', ...indented(platforms)]
  return [`${key.path.at(-1) ?? ''}: {}`, ...comment(['ops:', ...indented(recipient)])]
}

/** One element of a list, its keys with the meaning behind them. */
function elementOf(list: ConfigKey, keys: readonly ConfigKey[]): string[] {
  return insideOf([...list.path, ELEMENT], keys).map((line, at) => `${at === 0 ? '-' : ' '} ${line}`)
}

function namedOf(section: ConfigKey, keys: readonly ConfigKey[]): string[] {
  return [`${ANY_NAME}:`, ...indented(insideOf([...section.path, ANY_NAME], keys))]
}

function insideOf(path: readonly string[], keys: readonly ConfigKey[]): string[] {
  return childrenOf(path, keys).map((key) => {
    const value = key.kind === 'section' ? '{…}' : key.type
    const must = key.isRequired ? ', required' : ''
    return `${key.path.at(-1) ?? ''}: <${value}${must}>  ${meaningOf(key)[0]}`
  })
}

function valueOf(key: ConfigKey, name: string): string[] {
  return key.default === undefined ? [`${UNSET}${name}: <${key.type}>`] : yamlOf({ [name]: key.default })
}

function yamlOf(value: unknown): string[] {
  return stringify(value, { lineWidth: 0 }).trimEnd().split('\n')
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

function childrenOf(path: readonly string[], keys: readonly ConfigKey[]): readonly ConfigKey[] {
  return keys.filter((key) => key.path.length === path.length + 1 && path.every((part, at) => part === key.path[at]))
}

function comment(lines: readonly string[]): string[] {
  return lines.map((line) => `${UNSET}${line}`)
}
