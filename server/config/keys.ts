/** The schema as a flat list of keys, for environment names, "did you mean" and the generated reference. */
import * as z from 'zod'

/** One key of the config. */
export interface ConfigKey {
  /** `['http', 'port']`; an element of a list is `[]` */
  readonly path: readonly string[]
  /** `section` and `list` hold other keys */
  readonly kind: 'section' | 'list' | 'value'
  /** in words: `whole number`, `text`, `flat | nested`, … */
  readonly type: string
  readonly isText: boolean
  readonly isRequired: boolean
  readonly default: unknown
  readonly description: string
  readonly zh: string
}

/** The part of JSON Schema that zod writes for a config. */
const nodeSchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  zh: z.string().optional(),
  get anyOf() {
    return z.array(nodeSchema).optional()
  },
  get properties() {
    return z.record(z.string(), nodeSchema).optional()
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

/** All keys in the order of the schema, sections before what they hold. */
export function keysOf(schema: z.ZodType): readonly ConfigKey[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return [...walk(nodeSchema.parse(json), [])]
}

function* walk(node: Node, path: readonly string[]): Generator<ConfigKey> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const here = [...path, name]
    yield keyOf(child, here, node.required?.includes(name) ?? false)
    yield* walk(child, here)
    if (child.items) yield* walk(child.items, [...here, '[]'])
  }
}

function keyOf(node: Node, path: readonly string[], isRequired: boolean): ConfigKey {
  const kind = node.properties ? 'section' : node.items?.properties ? 'list' : 'value'
  return {
    path,
    kind,
    type: typeOf(node),
    isText: node.type === 'string',
    isRequired,
    default: kind === 'section' ? undefined : node.default,
    description: node.description ?? '',
    zh: node.zh ?? '',
  }
}

function typeOf({ type, enum: values, anyOf, items }: Node): string {
  if (values) return values.map(String).join(' | ')
  if (anyOf) return anyOf.map(typeOf).join(' | ')
  if (type === 'array' && items) return `list of ${items.properties ? 'sections' : typeOf(items)}`
  return typeWords[type ?? ''] ?? 'any'
}
