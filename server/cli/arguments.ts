/** What was typed behind a command, read by its options and its usage. */
import { parseArgs } from 'node:util'
import { nearest } from '../ground/nearest.ts'
import type { CommandParts, Options, Said } from './command.ts'

/** A command line that cannot be understood: exit code 2. */
export class BadArguments extends Error {
  override readonly name = 'BadArguments'
}

/** One argument of a usage: `NAME`, `[TEXT]`, `bash|zsh|fish`. */
export interface Argument {
  readonly word: string
  readonly isOptional: boolean
  /** the words that it may be; empty: any */
  readonly choices: readonly string[]
}

type Shape = Pick<CommandParts<Options>, 'name' | 'usage' | 'options'>

/** @throws BadArguments */
export function readWords<Own extends Options>(command: CommandParts<Own>, typed: readonly string[]): Said<Own> {
  const { options } = command
  // what is behind "--" is text, whatever it looks like
  const end = typed.includes('--') ? typed.indexOf('--') : typed.length
  const words = typed.slice(0, end).map((word) => longForm(word, options))
  refuseLooseValues(words, options)
  const args = [...words.map((word) => withItsBareValue(word, options)), ...typed.slice(end)]
  refuseUnknownOptions(args, command)
  const { values, positionals } = strictly(args, options)
  refuseOtherArguments(positionals, command)
  return { values, positionals }
}

/** The arguments of a usage, in order. */
export function argumentsOf({ name, usage }: Pick<Shape, 'name' | 'usage'>): readonly Argument[] {
  const words = usage
    .slice(name.length)
    .split(' ')
    .filter((word) => /^\[?[\w|]/.test(word))
  return words.map((written) => {
    const word = written.replaceAll(/[[\]]/g, '')
    return { word, isOptional: written.startsWith('['), choices: word.includes('|') ? word.split('|') : [] }
  })
}

/** One dash is enough for a long option, as in PushServer: `-config FILE`. */
function longForm(word: string, options: Options): string {
  const [, name] = /^-([a-z][a-z-]+)(=|$)/.exec(word) ?? []
  return name !== undefined && Object.hasOwn(options, name) ? `-${word}` : word
}

function withItsBareValue(word: string, options: Options): string {
  const bare = word.startsWith('--') ? options[word.slice(2)]?.bare : undefined
  return bare === undefined ? word : `${word}=${bare}`
}

/** `--wait 30` would be a wait as long as it is by itself, and a message `30`. */
function refuseLooseValues(words: readonly string[], options: Options): void {
  words.forEach((word, at) => {
    const next = words[at + 1] ?? ''
    if (withItsBareValue(word, options) !== word && /^\d/.test(next))
      throw new BadArguments(`a value of ${word} comes after "=": ${word}=${next}`)
  })
}

function refuseUnknownOptions(args: readonly string[], { name, options }: Shape): void {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(options, token.name)) continue
    const near = nearest(token.name, Object.keys(options), (known) => known)
    const hint =
      near === null ? ' (what is meant as text although it begins with - comes after --)' : `; did you mean --${near}?`
    throw new BadArguments(`${name} has no option ${token.rawName}${hint}`)
  }
}

/** Of what is left, parseArgs itself says best what is wrong. */
function strictly<Own extends Options>(args: string[], options: Own) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new BadArguments(error instanceof Error ? error.message : String(error))
  }
}

function refuseOtherArguments(given: readonly string[], command: Shape): void {
  const known = argumentsOf(command)
  const missing = known.slice(given.length).find(({ isOptional }) => !isOptional)
  if (missing) throw new BadArguments(`${command.name} needs ${missing.word}`)
  if (given.length > known.length) throw new BadArguments(`there is one argument too many: ${given[known.length]}`)
  known.forEach(({ word, choices }, at) => {
    const said = given[at]
    if (said !== undefined && choices.length > 0 && !choices.includes(said))
      throw new BadArguments(`${command.name} needs ${word}, not ${said}`)
  })
}
