import { Refusal } from './errors.ts'

const MAX_DEPTH = 32
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * JSON from outside, safe to copy, store and print again: at most 32 levels deep (stringify overflows
 * near 5,000), and without the keys that turn a copy into a change of its prototype.
 * @throws Refusal bad-json, too-deep, forbidden-key
 */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal('bad-json')
  }
  inspect(value, MAX_DEPTH)
  return value
}

/** @throws Refusal forbidden-key */
export function checkKey(key: string): void {
  if (FORBIDDEN.has(key)) throw new Refusal('forbidden-key', `a key named ${key} is not allowed`)
}

function inspect(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw new Refusal('too-deep')
  if (Array.isArray(value)) {
    for (const item of value) inspect(item, levels - 1)
    return
  }
  for (const [key, item] of Object.entries(value)) {
    checkKey(key)
    inspect(item, levels - 1)
  }
}
