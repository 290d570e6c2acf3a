/** What can be typed behind a command. */
import { argumentsOf } from '../../../server/cli/arguments.ts'
import type { Command } from '../../../server/cli/command.ts'
import { COMMON } from '../../../server/cli/help.ts'

/** A value that the shell can offer: names of files or directories, some words, or nothing that it knows. */
export type Value = 'files' | 'directories' | 'any' | readonly string[]

export interface Shape {
  readonly name: string
  readonly summary: string
  readonly options: readonly ShapedOption[]
  readonly arguments: readonly { readonly word: string; readonly value: Value; readonly isOptional: boolean }[]
}

export interface ShapedOption {
  readonly name: string
  readonly about: string
  /** null: it takes none */
  readonly value: Value | null
  /** as the help calls it */
  readonly word: string
  /** a value must come after `=` */
  readonly isBare: boolean
  readonly isRepeated: boolean
}

export function shapeOf({ name, usage, summary, options }: Command): Shape {
  return {
    name,
    summary,
    options: Object.entries({ ...options, help: COMMON.help }).map(([option, known]) => ({
      name: option,
      about: known.about,
      value: known.type === 'boolean' ? null : valueOf(known.value ?? ''),
      word: known.value ?? '',
      isBare: known.bare !== undefined,
      isRepeated: known.multiple ?? false,
    })),
    arguments: argumentsOf({ name, usage }).map(({ word, choices, isOptional }) => ({
      word,
      value: choices.length > 0 ? choices : valueOf(word),
      isOptional,
    })),
  }
}

function valueOf(word: string): Value {
  if (word === 'FILE') return 'files'
  return word === 'DIR' ? 'directories' : 'any'
}

/** The first words of all commands; those of two words once, with what they have in common. */
export function firstWords(shapes: readonly Shape[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const { name, summary } of shapes) {
    const [first = '', second] = name.split(' ')
    const before = words.get(first)
    words.set(first, second === undefined ? summary : before === undefined ? second : `${before}, ${second}`)
  }
  return words
}

/** Commands of two words, by the first. */
export function families(shapes: readonly Shape[]): ReadonlyMap<string, readonly Shape[]> {
  const found = new Map<string, Shape[]>()
  for (const shape of shapes) {
    const [first = '', second] = shape.name.split(' ')
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), shape])
  }
  return found
}

/** The second word of a command of two. */
export function secondWord({ name }: Shape): string {
  return name.split(' ')[1] ?? ''
}

/** What can be offered for an argument: no command has two of different kinds. */
export function placeOf(shape: Shape): Value {
  return shape.arguments.map(({ value }) => value).find((value) => value !== 'any') ?? 'any'
}

/** In single quotes, as all three shells read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
