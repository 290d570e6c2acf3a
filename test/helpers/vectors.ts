import { readFileSync } from 'node:fs'

/** The figures of test/channels/vectors/<name>.json. */
export function vector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../channels/vectors/${name}.json`, import.meta.url), 'utf8')) as T
}
