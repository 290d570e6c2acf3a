/**
 * What a command of the program is. Each has a file of its own, whose default export is made here, and a line in
 * the table of `clients/cli/carillon.ts`. Help, completion and refusals of wrong words are made from these.
 */
import type { parseArgs } from 'node:util'
import { readWords } from './arguments.ts'

/**
 * How a command ended: 0 confirmed, or all is well; 1 a fault, or something found wrong; 2 a wrong command line.
 * Of `send` alone: 3 sent, not acked; 4 refused; 5 the time of `--wait` was over.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5

/** An option as `node:util` parseArgs knows it, and what the help says of it. */
export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  readonly about: string
  /** what stands for its value in the help and tells completion what to offer: FILE, DIR, SECONDS */
  readonly value?: string
  /** the value that it has without one; another must come after `=` then */
  readonly bare?: string
}

export type Options = Readonly<Record<string, Option>>

/** What was typed behind the command. */
export interface Said<Own extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: Own; allowPositionals: true }>>['values']
  readonly positionals: readonly string[]
}

export interface CommandParts<Own extends Options> {
  /** one or two words, as they are typed: `store backup` */
  readonly name: string
  /** with its arguments: `store backup DIR`, `send NAME [TEXT]`, `completion bash|zsh|fish`; others are refused */
  readonly usage: string
  /** one line, without a stop at its end */
  readonly summary: string
  /** more lines for `--help`: what is not plain from the summary and the options */
  readonly notes?: readonly string[]
  readonly options: Own
  /**
   * Results go to stdout, prose to stderr.
   * @throws BadArguments for what only the command can find wrong in its words
   * @throws Mistake (ground/mistake.ts) for what the operator can mend: told without a stack, exit code 1
   */
  run(said: Said<Own>): Promise<ExitCode>
}

/** As the table holds it, whatever its options are. */
export interface Command extends Omit<CommandParts<Options>, 'run'> {
  /** @throws BadArguments, Mistake */
  run(words: readonly string[]): Promise<ExitCode>
}

/** A command whose `run` gets its words read: options by their names, arguments as many as the usage says. */
export function defineCommand<const Own extends Options>(parts: CommandParts<Own>): Command {
  return { ...parts, run: async (words) => parts.run(readWords(parts, words)) }
}
