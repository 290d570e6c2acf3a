/** `${env:X}` and `${file:/path}` inside texts of the config: secrets that stand elsewhere. */
import { readFileSync } from 'node:fs'
import { pathText } from './problems.ts'

const REFERENCE = /\$\{(env|file):([^}]*)\}/g

export interface Resolved {
  readonly value: unknown
  readonly problems: readonly string[]
}

/** Replaces every reference, wherever it stands. A file's last line break is not part of the secret. */
export function resolveReferences(value: unknown, env: Readonly<Record<string, string | undefined>>): Resolved {
  const problems: string[] = []

  function resolve(part: unknown, path: readonly PropertyKey[]): unknown {
    if (typeof part === 'string')
      return part.replace(REFERENCE, (_, kind, name) => look(String(kind), String(name), path))
    if (Array.isArray(part)) return part.map((item: unknown, at) => resolve(item, [...path, at]))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, resolve(item, [...path, key])]))
  }

  function look(kind: string, name: string, path: readonly PropertyKey[]): string {
    const found = kind === 'env' ? env[name] : readSecret(name)
    if (found !== undefined) return found
    const what = kind === 'env' ? `the environment has no ${name}` : `the file ${name} cannot be read`
    problems.push(`${pathText(path)}: ${what}`)
    return ''
  }

  return { value: resolve(value, []), problems }
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch {
    return undefined
  }
}
