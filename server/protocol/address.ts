/**
 * Who a message is for. `alice` and `alice@user` are the same recipient; `dev@group` is a group.
 * The string is split at its last `@` only if a known kind follows, so mail addresses are plain names.
 */
import { Refusal } from './errors.ts'

const kinds = ['user', 'group', 'org', 'tenant', 'app'] as const
type Kind = (typeof kinds)[number]
const RESERVED = new Set(['__proto__', 'constructor', 'prototype'])
const MAX_CODE_POINTS = 64
/** units of UTF-16 that a name of this many code points may be written in, with room for marks of their own */
const MAX_WRITTEN = 16 * MAX_CODE_POINTS
/** Most names are these; nothing more needs to be looked at. */
const PLAIN = /^[A-Za-z0-9_-]{1,64}$/
/** Controls, format and bidi marks, surrogates, private and non-characters, line separators; joiners stay. */
const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{NChar}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0001}]/u
/** Spaces, and what shows only beside something else: joiners, variation selectors, fillers. */
const INVISIBLE = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}]*$/u

/** Canonical address of one recipient: `alice@user`, `system@user`. */
export type RecipientId = string
/** Canonical address of a group: `dev@group`. */
export type GroupId = string

export const SYSTEM: RecipientId = 'system@user'

/**
 * A name as the wire wrote it, checked and in NFC: 1-64 code points, printable, no `/` or `\`.
 * @throws Refusal bad-name
 */
export function checkName(raw: string, what = 'name'): string {
  if (PLAIN.test(raw) && !RESERVED.has(raw)) return raw
  const name = composed(raw, what)
  if (name === '') throw new Refusal('bad-name', `${what} property is required`)
  if (name.length > 2 * MAX_CODE_POINTS || [...name].length > MAX_CODE_POINTS) throw tooLong(what)
  if (UNPRINTABLE.test(name)) throw new Refusal('bad-name', `${what} has a control character`)
  if (name.includes('/') || name.includes('\\')) throw new Refusal('bad-name', `${what} has a slash`)
  if (name === '.' || name === '..' || INVISIBLE.test(name)) {
    throw new Refusal('bad-name', `${what} is empty or only dots or spaces`)
  }
  if (RESERVED.has(name)) throw new Refusal('bad-name', `${what} is a reserved word`)
  return name
}

/**
 * The recipient that a wire name means.
 * @throws Refusal bad-name, also for a name that ends in `@` and a kind other than `user`
 */
export function recipientId(raw: string, what = 'name'): RecipientId {
  const name = nameBefore('user', raw, what)
  const kind = kindOf(name)
  if (kind !== null) throw new Refusal('bad-name', `${what} ends in @${kind}, which is not a recipient of this kind`)
  return `${name}@user`
}

/** The group that a wire name means. @throws Refusal bad-name */
export function groupId(raw: string, what = 'group'): GroupId {
  const name = nameBefore('group', raw, what)
  if (kindOf(name) === 'group') throw new Refusal('bad-name', `${what} ends in @group twice`)
  return `${name}@group`
}

/** The name on old wires: `alice` for `alice@user`, the whole address for other kinds. */
export function wireName(id: RecipientId | GroupId): string {
  return id.endsWith('@user') ? id.slice(0, -'@user'.length) : id
}

/** The group's name on old wires: `dev` for `dev@group`. */
export function wireGroup(id: GroupId): string {
  return id.slice(0, -'@group'.length)
}

/** The name that stands before `@` and this kind, or the whole where nothing of the sort follows. */
function nameBefore(kind: Kind, raw: string, what: string): string {
  const whole = composed(raw, what)
  return checkName(kindOf(whole) === kind ? whole.slice(0, whole.lastIndexOf('@')) : whole, what)
}

/** In NFC, unless far too long: to put marks in order takes time in the square of their number. */
function composed(raw: string, what: string): string {
  if (raw.length > MAX_WRITTEN) throw tooLong(what)
  return raw.normalize('NFC')
}

function tooLong(what: string): Refusal {
  return new Refusal('bad-name', `${what} is longer than ${MAX_CODE_POINTS} characters`)
}

function kindOf(address: string): Kind | null {
  const at = address.lastIndexOf('@')
  return kinds.find((known) => at >= 0 && known === address.slice(at + 1)) ?? null
}

/** What `sendType` and `target` of a MESSAGE packet, or the two suffixes of a push URL, mean. @throws Refusal bad-name */
export function addressOf(
  sendType: 'personal' | 'group',
  target: string,
): { readonly recipient: RecipientId } | { readonly group: GroupId } {
  return sendType === 'group' ? { group: groupId(target, 'target') } : { recipient: recipientId(target, 'target') }
}
