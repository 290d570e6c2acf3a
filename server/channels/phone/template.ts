/** Templates of SMS and calls: what of a message goes into their variables, and how much of it. */
import * as z from 'zod'
import { Misconfigured } from '../channel.ts'
import type { Content } from '../content.ts'
import type { PhoneTarget } from './numbers.ts'
import { inOneLine, plainOf, withoutAddresses } from './text.ts'
import { shortened } from '../text/pieces.ts'

/** What a variable may hold. */
const fieldSchema = z.enum(['title', 'body', 'text', 'level', 'recipient', 'time'])
type Field = z.infer<typeof fieldSchema>

const FIELDS = {
  description:
    'of the message: `title`, `body`, `text` (both), `level`, `recipient`, `time`. The confirm link and other addresses are never in it: providers refuse them',
  zh: '可用内容：`title`、`body`、`text`（标题加正文）、`level`、`recipient`、`time`。变量中不能有链接（包括确认链接）、IP 或域名，运营商会拒绝',
}

export const namedParams = z
  .record(z.string().min(1), fieldSchema)
  .default({})
  .meta({
    description: `template variables by name, each with what goes into it ${FIELDS.description}`,
    zh: `模板变量名与其内容的对应关系。${FIELDS.zh}`,
  })
export const listedParams = z
  .array(fieldSchema)
  .default([])
  .meta({
    description: `what goes into the template's variables {1}, {2} … ${FIELDS.description}`,
    zh: `依次填入模板变量 {1}、{2} … 的内容。${FIELDS.zh}`,
  })

/** A variable with what goes into it: a field of each message, or a value of its own. */
export interface Variable {
  readonly name: string
  readonly from: { readonly field: Field } | { readonly value: string }
}

/** The template of an account, with what goes into its variables, by name or in order. */
export interface OwnTemplate {
  readonly template?: string | undefined
  readonly params: Readonly<Record<string, Field>> | readonly Field[]
}

export interface Template {
  readonly code: string
  readonly variables: readonly Variable[]
}

/** How long values may be, in UTF-16 units. */
export interface Room {
  readonly each: number
  /** all together */
  readonly total?: number
}

/** no provider takes a variable without a value */
const NOTHING = '-'

/**
 * The template of the config, or the one that a direct call names, filled with its own values where it gives any.
 * @param style how the provider's variables are told apart
 * @throws Misconfigured where none is named, and for values in the other style
 */
export function chosenTemplate(
  own: OwnTemplate,
  { template = own.template, params }: Partial<PhoneTarget>,
  style: 'named' | 'listed',
): Template {
  if (template === undefined) throw new Misconfigured('template: neither the account nor the target names one')
  if (params === undefined) return { code: template, variables: variablesOf(own.params, (field) => ({ field })) }
  if (Array.isArray(params) !== (style === 'listed')) {
    throw new Misconfigured(`params: this provider takes ${style === 'listed' ? 'a list' : 'values by name'}`)
  }
  return { code: template, variables: variablesOf(params, (value) => ({ value })) }
}

function variablesOf<T>(
  params: Readonly<Record<string, T>> | readonly T[],
  from: (item: T) => Variable['from'],
): readonly Variable[] {
  return Object.entries(params).map(([name, item]) => ({ name, from: from(item) }))
}

/** The variables with their values, in order. The longest are cut first where they are too long together. */
export function filled(
  { variables }: Template,
  content: Content,
  { each, total = Infinity }: Room,
): readonly (readonly [string, string])[] {
  const values = variables.map(({ from }) => safe('value' in from ? from.value : fieldOf(from.field, content)))
  let most = each
  while (most > 1 && sum(values.map(({ length }) => Math.min(length, most))) > total) most -= 1
  return variables.map(({ name }, at) => [name, shortened(values[at] ?? NOTHING, ({ length }) => length / most)])
}

function fieldOf(field: Field, content: Content): string {
  const { title, level, recipient, at } = content
  const body = content.style === 'card' ? plainOf(content.body) : content.body
  const fields: Readonly<Record<Field, string>> = {
    title,
    body,
    text: [title, body].filter((words) => words !== '').join(': '),
    level,
    recipient,
    time: new Date(at).toLocaleString('sv-SE'),
  }
  return fields[field]
}

function safe(text: string): string {
  return inOneLine(withoutAddresses(text)) || NOTHING
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
