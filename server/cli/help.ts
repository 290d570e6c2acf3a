/** The help of the program and of each command, made from the table. */
import type { Command, Option } from './command.ts'

/** Every command has these. */
export const COMMON: Readonly<Record<'help' | 'version', Option>> = {
  help: { type: 'boolean', short: 'h', about: 'print this' },
  version: { type: 'boolean', about: 'print the version' },
}

/** All commands with a line each. */
export function overviewOf(commands: readonly Command[]): string {
  const rows = commands.map(({ usage, summary }): Row => [`carillon ${usage}`, summary])
  return [
    ...columns(rows),
    '',
    'carillon COMMAND --help says more of one. Without a command it is "serve".',
    'Exit codes: 0 done, 1 something is wrong, 2 wrong command line; "send" has more.',
  ].join('\n')
}

/** One command: how it is called, what it does, its options. */
export function helpOf({ usage, summary, notes = [], options }: Command): string {
  const rows = Object.entries({ ...options, ...COMMON }).map(rowOf)
  return [
    `carillon ${usage} [options]`,
    '',
    `${summary}.`,
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
    ...columns(rows).map((line) => `  ${line}`),
  ].join('\n')
}

type Row = readonly [left: string, right: string]

function rowOf([name, { short, value, bare, about }]: [string, Option]): Row {
  const behind = value === undefined ? '' : bare === undefined ? ` ${value}` : `[=${value}]`
  return [`${short === undefined ? '' : `-${short}, `}--${name}${behind}`, about]
}

/** What is too long for its column has the meaning on a line of its own. */
function columns(rows: readonly Row[]): readonly string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length))) + 2
  return rows.flatMap(([left, right]) =>
    left.length + 2 > width ? [left, `${' '.repeat(width)}${right}`] : [left.padEnd(width) + right],
  )
}
