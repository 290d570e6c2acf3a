/** Keeps secrets of endpoints out of what is stored, logged and answered. */
import { createHash } from 'node:crypto'
import type { Outcome } from '../outcome.ts'

/** UTF-16 units of what the other side answered that are worth keeping */
const MAX_ANSWER = 1_024
const MAX_DETAIL = 300
/** less is no secret, and cutting it out would leave nothing legible */
const MIN_SECRET = 4
const HIDDEN = '[secret]'
/** shorter words of a URL are no keys */
const MIN_KEY = 16

/** Tells endpoints apart without showing what they hold: 12 hex digits. */
export function fingerprint(...identity: readonly string[]): string {
  return createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 12)
}

/** What is secret in a URL that whoever knows it can post to: all of it, what is behind its host, each long word there. */
export function secretsOfUrl(url: string): readonly string[] {
  const { pathname, search, searchParams } = new URL(url)
  const rawValues = search
    .slice(1)
    .split('&')
    .map((pair) => pair.slice(pair.indexOf('=') + 1))
  const words = [...pathname.split('/'), ...rawValues, ...searchParams.values()]
  return [...new Set([url, pathname + search, ...words.filter((word) => word.length >= MIN_KEY)])].filter(
    (secret) => secret !== '/',
  )
}

/** The outcome with every secret cut out of its words, and they cut to what is worth keeping. */
export function scrubbed<T extends Outcome>(outcome: T, secrets: readonly string[]): T {
  return reworded(outcome, (text, max) => start(without(text, secrets), max))
}

/** The outcome with the secret cut out of its words, and nothing cut off: others must still be found whole in them. */
export function withoutSecret(outcome: Outcome, secret: string): Outcome {
  return reworded(outcome, (text) => without(text, [secret]))
}

function reworded<T extends Outcome>(outcome: T, write: (text: string, max: number) => string): T {
  const { detail } = outcome
  const answer = 'answer' in outcome ? outcome.answer : undefined
  return {
    ...outcome,
    ...(detail === undefined ? {} : { detail: write(detail, MAX_DETAIL) }),
    ...(answer === undefined ? {} : { answer: write(answer, MAX_ANSWER) }),
  }
}

/** The longest first: one may be part of another. */
function without(text: string, secrets: readonly string[]): string {
  const spellings = secrets
    .filter((secret) => secret.length >= MIN_SECRET)
    .flatMap(spellingsOf)
    .toSorted((a, b) => b.length - a.length)
  let rest = text
  for (const spelling of spellings) rest = rest.replaceAll(spelling, HIDDEN)
  return rest
}

/** As it is, in a URL, and in JSON, where some escape the slash as well. */
function spellingsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  return [...new Set([secret, encodeURIComponent(secret), json, json.replaceAll('/', '\\/')])]
}

/** No more than `max` units, no pair broken. */
function start(text: string, max: number): string {
  return text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '')
}
