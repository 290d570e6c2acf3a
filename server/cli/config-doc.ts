/** `carillon config doc`: every key of the config, or those at and below one. */
import { loadChannels } from '../channels/index.ts'
import { environmentName } from '../config/environment.ts'
import { ANY_NAME, type ConfigKey, isFixed, keysOf, meaningOf, nameOf } from '../config/keys.ts'
import { configSchema } from '../config/schema.ts'
import { nearest } from '../ground/nearest.ts'
import { BadArguments } from './arguments.ts'
import { defineCommand } from './command.ts'
import { print } from './output.ts'

export default defineCommand({
  name: 'config doc',
  usage: 'config doc [KEY]',
  summary: 'Says what each key of the config means, or KEY and what is below it',
  options: {
    zh: { type: 'boolean', about: '用中文说明 (in Chinese)' },
    json: { type: 'boolean', about: 'print a JSON object for each key' },
  },
  async run({ values, positionals: [wanted] }) {
    const all = keysOf(configSchema(await loadChannels()))
    const keys = wanted === undefined ? all : keysAt(wanted, all)
    const lines = keys.map((key) => (values.json ? JSON.stringify(factsOf(key)) : entryOf(key, values.zh ?? false)))
    await print(lines.join('\n'))
    return 0
  },
})

/** @throws BadArguments with the nearest key */
function keysAt(wanted: string, all: readonly ConfigKey[]): readonly ConfigKey[] {
  const path = wanted.replaceAll(/\[\d*\]/g, '.[]').split('.')
  const found = all.filter((key) => path.every((part, at) => part === key.path[at] || key.path[at] === ANY_NAME))
  if (found.length > 0) return found
  const near = nearest(wanted, all, (key) => nameOf(key.path))
  throw new BadArguments(`there is no key ${wanted}${near === null ? '' : `; did you mean ${nameOf(near.path)}?`}`)
}

function entryOf(key: ConfigKey, zh: boolean): string {
  const [english, chinese] = meaningOf(key)
  const facts = [key.type, ...defaultOf(key, zh), ...(isFixed(key) ? [environmentName(key.path)] : [])]
  const meaning = zh ? chinese : english
  return [nameOf(key.path), `    ${facts.join(zh ? '，' : ', ')}`, ...(meaning === '' ? [] : [`    ${meaning}`])].join(
    '\n',
  )
}

function defaultOf(key: ConfigKey, zh: boolean): readonly string[] {
  if (key.isRequired) return [zh ? '必填' : 'required']
  if (key.default === undefined || key.kind === 'section') return []
  return [`${zh ? '默认' : 'default'} ${JSON.stringify(key.default)}`]
}

function factsOf(key: ConfigKey) {
  const { path, kind, type, isRequired, only, description, zh } = key
  return {
    key: nameOf(path),
    type,
    required: isRequired,
    default: kind === 'section' ? null : (key.default ?? null),
    environment: isFixed(key) ? environmentName(path) : null,
    only,
    description,
    zh,
  }
}
