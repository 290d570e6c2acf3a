/** A program made of commands: finds the one that was typed, runs it, ends with its exit code. */
import { Mistake } from '../ground/mistake.ts'
import { nearest } from '../ground/nearest.ts'
import { readVersion } from '../ground/version.ts'
import { BadArguments } from './arguments.ts'
import type { Command, ExitCode } from './command.ts'
import { helpOf, overviewOf } from './help.ts'
import { print, tell } from './output.ts'

/** Each command by its name; its file is read when it is needed. In the order of the help. */
export type Table = Readonly<Record<string, () => Promise<{ readonly default: Command }>>>

export interface Program {
  readonly table: Table
  /** what runs where no command is named */
  readonly fallback: string
  /** where other commands are, for whoever looks for them here */
  readonly elsewhere?: string
}

/** Runs the command that was typed and ends the process. */
export function runProgram(program: Program, typed: readonly string[]): void {
  const call = callOf(program, typed[0] === 'help' ? [...typed.slice(1), '--help'] : typed)
  const giveUp = (error: unknown) => fail(error, call)
  process.stdout.on('error', giveUp)
  run(program, call).then(end, giveUp)
}

/** All commands of a table, in its order. */
export async function commandsOf(table: Table): Promise<readonly Command[]> {
  const files = await Promise.all(Object.values(table).map((load) => load()))
  return files.map((file) => file.default)
}

/** A command line, as far as it is the same for all commands. */
interface Call {
  /** the words before the first option: a command, or what should have been one; empty where none is named */
  readonly said: readonly string[]
  /** the command; null where there is none of that name */
  readonly name: string | null
  readonly behind: readonly string[]
  readonly asks: 'help' | 'version' | null
}

function callOf({ table, fallback }: Program, words: readonly string[]): Call {
  const first = words.findIndex((word) => word.startsWith('-'))
  const said = words.slice(0, first < 0 ? undefined : first)
  const name = said.length === 0 ? fallback : nameIn(table, said)
  const behind = said.length === 0 || name === null ? words : words.slice(name.split(' ').length)
  return { said, name, behind, asks: asked(words) }
}

function nameIn(table: Table, [first = '', second = '']: readonly string[]): string | null {
  return [`${first} ${second}`, first].find((name) => Object.hasOwn(table, name)) ?? null
}

function asked(words: readonly string[]): Call['asks'] {
  const own = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  if (own.some((word) => ['--version', '-version'].includes(word))) return 'version'
  return own.some((word) => ['--help', '-help', '-h'].includes(word)) ? 'help' : null
}

async function run(program: Program, call: Call): Promise<ExitCode> {
  if (call.asks !== null) {
    await print(call.asks === 'version' ? readVersion() : await helpFor(program, call))
    return 0
  }
  const load = call.name === null ? undefined : program.table[call.name]
  if (!load) throw new BadArguments(unknown(program, call))
  return (await load()).default.run(call.behind)
}

async function helpFor(program: Program, call: Call): Promise<string> {
  const commands = await commandsOf(program.table)
  const isAlone = commands.length === 1
  const command = commands.find(({ name }) => name === call.name)
  if (command && (call.said.length > 0 || isAlone)) return helpOf(command)
  const family = commands.filter(({ name }) => call.said.length === 0 || name.startsWith(`${call.said[0]} `))
  if (family.length > 0) return overviewOf(family)
  throw new BadArguments(unknown(program, call))
}

/** That there is no such command, with the nearest one. */
function unknown({ table, elsewhere }: Program, { said: [first = '', second = ''] }: Call): string {
  const names = Object.keys(table)
  const within = names.filter((name) => name.startsWith(`${first} `))
  const both = `${first} ${second}`.trim()
  const said = within.length > 0 ? both : first
  if (elsewhere !== undefined) return `there is no command ${said} here; ${elsewhere}`
  const near = nearest(both, names, (name) => name) ?? nearest(first, names, (name) => name)
  if (near !== null) return `there is no command ${said}; did you mean ${near}?`
  return `there is no command ${said}; there are: ${(within.length > 0 ? within : names).join(', ')}`
}

/** Once all is printed; connections that are kept for later do not hold it. */
function end(exitCode: ExitCode): void {
  process.stdout.write('', () => process.exit(exitCode))
}

/** What the operator can mend is said in words, all else with its stack. */
function fail(error: unknown, { said, name }: Call): never {
  // whoever read the output has seen enough
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(1)
  if (error instanceof BadArguments) {
    const hint = said.length === 0 ? 'A command comes before its options; see' : 'See'
    tell(`carillon: ${error.message}\n${hint} carillon ${name === null || said.length === 0 ? '' : `${name} `}--help`)
    process.exit(2)
  }
  const isExpected = error instanceof Mistake
  tell(`carillon: ${error instanceof Error ? (isExpected ? error.message : error.stack) : String(error)}`)
  process.exit(1)
}
