/** Layers of a config: flags over environment over file. Sections are joined, all else is replaced. */

export type Layer = Readonly<Record<string, unknown>>

/** The higher layer wins key by key. */
export function joinLayers(lower: Layer, higher: Layer): Layer {
  const joined = new Map(Object.entries(lower))
  for (const [key, value] of Object.entries(higher)) {
    const below = joined.get(key)
    joined.set(key, isLayer(below) && isLayer(value) ? joinLayers(below, value) : value)
  }
  return Object.fromEntries(joined)
}

/** Puts values at their paths. */
export function layerOf(entries: readonly (readonly [readonly string[], unknown])[]): Layer {
  return entries.reduce<Layer>((layer, [path, value]) => joinLayers(layer, nested(path, value)), {})
}

export function isLayer(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nested(path: readonly string[], value: unknown): Layer {
  const [first = '', ...rest] = path
  return { [first]: rest.length === 0 ? value : nested(rest, value) }
}
