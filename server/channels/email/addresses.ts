/** Mail addresses, read by ourselves: parsers of mail libraries see groups, comments and lists in them. */
import { domainToASCII } from 'node:url'
import * as z from 'zod'
import { fingerprint } from '../outbound/secrets.ts'
import { sizeOf } from '../text/pieces.ts'

/** An address with the name of who is behind it; `name` may be empty. */
export interface Mailbox {
  readonly address: string
  readonly name: string
}

/** RFC 5321 section 4.5.3.1, in octets; the path of 256 has the angle brackets in it */
const MAX_LOCAL = 64
const MAX_ADDRESS = 254
const MAX_LABEL = 63
/** RFC 5322 `atext` and dots, and letters of every script as RFC 6531 has them; no quoting */
const LOCAL = /^[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]+$/u
/** before IDNA; underscores and the like are no part of a mail domain */
const DOMAIN = /^[\p{L}\p{M}\p{Nd}.-]+$/u
const ASCII_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const MAX_SUBJECT = 200
const MAX_NAME = 100
/** looking for the end of a character in more than this is not worth it */
const MAX_LOOK = 4_000
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu
/** they would let a text pass for another (Unicode TR 36, section 2.5) */
const BIDI = /[\u202A-\u202E\u2066-\u2069]/gu

/**
 * The address as the envelope needs it, its domain in ASCII (RFC 5890) and lower case. Null for whatever is not
 * exactly one plain address: lists, groups, names, comments, quotes, address literals.
 */
export function readAddress(text: string): string | null {
  const [local = '', domain = '', ...more] = text.split('@')
  if (more.length > 0 || !LOCAL.test(local) || !DOMAIN.test(domain)) return null
  if (Buffer.byteLength(local) > MAX_LOCAL) return null
  const ascii = domainToASCII(domain)
  const labels = ascii.split('.')
  // `127.1` is a number to whoever resolves it, and no domain
  if (/^\d+$/.test(labels.at(-1) ?? '')) return null
  if (!labels.every((label) => label.length <= MAX_LABEL && ASCII_LABEL.test(label))) return null
  const address = `${local}@${ascii}`
  return Buffer.byteLength(address) <= MAX_ADDRESS ? address : null
}

/** One address, as `readAddress` reads it. */
export const addressSchema = z
  .string()
  .transform((text) => readAddress(text) ?? '')
  .refine((address) => address !== '', { error: 'not one plain mail address, such as ops@example.com' })

/** The first of those with one address. Two that differ in case are one: no provider tells them apart. */
export function withoutTwins(mailboxes: readonly Mailbox[]): readonly Mailbox[] {
  const seen = new Set<string>()
  return mailboxes.filter(({ address }) => {
    const known = seen.has(address.toLowerCase())
    seen.add(address.toLowerCase())
    return !known
  })
}

/** Fit for a Subject header: one line of 200 code points at most. */
export function subjectOf(title: string): string {
  return oneLine(title, MAX_SUBJECT)
}

/** Fit to stand beside an address. */
export function displayName(name: string): string {
  return oneLine(name, MAX_NAME)
}

/**
 * The Message-ID (RFC 5322 section 3.6.4): the same over all tries of a message on an endpoint, so that mailboxes
 * that got it twice can show it once.
 * @param from the address whose domain vouches for it
 */
export function messageIdOf(mid: string, endpoint: string, from: string): string {
  return `<${fingerprint(mid, endpoint)}.${mid.replaceAll(/[^\w.-]/g, '')}${from.slice(from.lastIndexOf('@'))}>`
}

/** Without line breaks and other controls, cut between two characters as readers see them. */
function oneLine(text: string, max: number): string {
  const line = text.slice(0, MAX_LOOK).replaceAll(BREAKS, ' ').replaceAll(BIDI, '').trim()
  if (sizeOf(line, 'codepoints') <= max) return line
  let kept = ''
  for (const { segment } of graphemes.segment(line)) {
    if (sizeOf(kept + segment, 'codepoints') >= max) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}
