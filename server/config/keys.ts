/** The schema as a flat list of keys, for environment names, "did you mean" and the generated reference. */
import * as z from 'zod'

/** Stands in a path where the operator puts a name of his own. */
export const ANY_NAME = '<name>'
/** Stands in a path for each element of a list. */
export const ELEMENT = '[]'

/** One key of the config. */
export interface ConfigKey {
  /** `['http', 'port']`; an element of a list is `[]`, a name of the operator's own `<name>` */
  readonly path: readonly string[]
  /** `section`, `list` (of sections) and `names` (sections by names of the operator's own) hold other keys */
  readonly kind: 'section' | 'list' | 'names' | 'value'
  /** in words: `whole number`, `text`, `flat | nested`, … */
  readonly type: string
  readonly isText: boolean
  readonly isRequired: boolean
  /** of a section with alternatives: the words that choose those which have it (`twilio`); empty: all have it */
  readonly only: readonly string[]
  readonly default: unknown
  readonly description: string
  readonly zh: string
}

/** The part of JSON Schema that zod writes for a config. */
const nodeSchema = z.object({
  type: z.string().optional(),
  const: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  zh: z.string().optional(),
  get anyOf() {
    return z.array(nodeSchema).optional()
  },
  get oneOf() {
    return z.array(nodeSchema).optional()
  },
  get properties() {
    return z.record(z.string(), nodeSchema).optional()
  },
  get additionalProperties() {
    return z.union([z.boolean(), nodeSchema]).optional()
  },
  get items() {
    return nodeSchema.optional()
  },
})
type Node = z.infer<typeof nodeSchema>

const typeWords: Readonly<Record<string, string>> = {
  integer: 'whole number',
  number: 'number',
  string: 'text',
  boolean: 'true | false',
  null: 'null',
  object: 'section',
  array: 'list',
}

/** All keys in the order of the schema, sections before what they hold; twice where alternatives differ in it. */
export function keysOf(schema: z.ZodType): readonly ConfigKey[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return keysIn(nodeSchema.parse(json), [])
}

/** As it is written: `clients[].name`. */
export function nameOf(path: readonly string[]): string {
  return path.join('.').replaceAll(`.${ELEMENT}`, ELEMENT)
}

/** English and Chinese; of a key that only some alternatives have, with their words ahead. */
export function meaningOf({ only, description, zh }: ConfigKey): readonly [string, string] {
  if (only.length === 0) return [description, zh]
  return [`${only.join(', ')}: ${description}`, `${only.join('、')}：${zh}`]
}

/** No name of the operator's own and no place in a list: one key, which the environment may set. */
export function isFixed({ path }: ConfigKey): boolean {
  return !path.includes(ELEMENT) && !path.includes(ANY_NAME)
}

function keysIn(node: Node, path: readonly string[]): readonly ConfigKey[] {
  const branches = branchesOf(node)
  const chooser = chooserOf(branches)
  const found = branches.flatMap((branch) => {
    const own = [...walk(branch, path)]
    const word = chooser === null ? undefined : branch.properties?.[chooser]?.const
    return word === undefined ? own : own.map((key) => ({ ...key, only: [String(word), ...key.only] }))
  })
  return branches.length === 1 ? found : united(found, chooser === null ? null : [...path, chooser], branches.length)
}

function* walk(node: Node, path: readonly string[]): Generator<ConfigKey> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const here = [...path, name]
    yield keyOf(child, here, node.required?.includes(name) ?? false)
    yield* keysIn(child, here)
  }
  if (node.items) yield* keysIn(node.items, [...path, ELEMENT])
  const named = namedOf(node)
  if (named) yield* keysIn(named, [...path, ANY_NAME])
}

/** The property by which alternatives are told apart: `provider`. */
function chooserOf(branches: readonly Node[]): string | null {
  const [first, ...others] = branches.map(({ properties = {} }) =>
    Object.keys(properties).filter((name) => properties[name]?.const !== undefined),
  )
  if (others.length === 0) return null
  return first?.find((name) => others.every((names) => names.includes(name))) ?? null
}

/** Keys of alternatives in the order they are first met: one for all that say the same. */
function united(keys: readonly ConfigKey[], chooser: readonly string[] | null, count: number): readonly ConfigKey[] {
  const groups = new Map<string, ConfigKey[]>()
  for (const key of keys) {
    const isMerged = chooser === null || nameOf(key.path) === nameOf(chooser)
    const { path, only: _, ...said } = key
    const place = isMerged ? nameOf(path) : JSON.stringify([path, said])
    groups.set(place, [...(groups.get(place) ?? []), key])
  }
  return [...groups.values()].map((alike) => {
    const only = [...new Set(alike.flatMap((key) => key.only))]
    return { ...alike.reduce(merged), only: only.length === count ? [] : only }
  })
}

function keyOf(node: Node, path: readonly string[], isRequired: boolean): ConfigKey {
  return {
    path,
    kind: kindOf(node),
    type: typeOf(node),
    isText: node.type === 'string',
    isRequired,
    only: [],
    default: node.default,
    description: node.description ?? '',
    zh: node.zh ?? '',
  }
}

function merged(one: ConfigKey, other: ConfigKey): ConfigKey {
  return {
    ...one,
    type: joined(' | ', one.type, other.type),
    isText: one.isText && other.isText,
    isRequired: one.isRequired && other.isRequired,
    default: one.default === other.default ? one.default : undefined,
    description: joined('; ', one.description, other.description),
    zh: joined('；', one.zh, other.zh),
  }
}

function kindOf(node: Node): ConfigKey['kind'] {
  const branches = branchesOf(node)
  if (branches.some(({ properties }) => properties)) return 'section'
  if (branches.some(({ items }) => items && holdsKeys(items))) return 'list'
  return branches.some((branch) => holdsKeys(namedOf(branch))) ? 'names' : 'value'
}

function typeOf(node: Node): string {
  const { type, enum: values, items } = node
  if (values) return values.map(String).join(' | ')
  if (node.const !== undefined) return String(node.const)
  const branches = branchesOf(node)
  if (branches.length > 1) return joined(' | ', ...branches.map(typeOf))
  const named = namedOf(node)
  if (named) return `${holdsKeys(named) ? 'sections' : bracketed(typeOf(named))} by name`
  if (type === 'array' && items) return `list of ${holdsKeys(items) ? 'sections' : bracketed(typeOf(items))}`
  return typeWords[type ?? ''] ?? 'any'
}

function branchesOf(node: Node): readonly Node[] {
  const branches = node.anyOf ?? node.oneOf
  return branches ? branches.flatMap(branchesOf) : [node]
}

/** What stands under names of the operator's own. */
function namedOf({ additionalProperties }: Node): Node | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

function holdsKeys(node: Node | undefined): boolean {
  return node !== undefined && kindOf(node) !== 'value'
}

function bracketed(type: string): string {
  return type.includes(' | ') ? `(${type})` : type
}

function joined(gap: string, ...texts: readonly string[]): string {
  return [...new Set(texts)].filter((text) => text !== '').join(gap)
}
