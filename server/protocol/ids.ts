/**
 * The ids of PushServer, made of a mid and read back without a table: the mid is their time in ms (UTC), and
 * what is left of their room is a check, so that a mistyped one names nothing.
 *
 *   task          task_20250804_090748_3k9x2a, or a UUID (version 8, RFC 9562) in the first dialect
 *   notification  notify_20250804090748_123456
 *
 * Browser-safe: no imports but types.
 */
import type { Mid } from './states.ts'

/** Which version of PushServer is spoken: its texts and forms of ids. */
export type Dialect = '1' | '2'

const MID = /^\d{13}$/
const TASK = /^task_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_([0-9a-z]{6})$/
const NOTIFICATION = /^notify_(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_(\d{6})$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const WORD = 2 ** 32
/** 2^32 over the golden ratio: neighbouring seeds come to lie far apart */
const APART = 0x9e3779b9
/** values of the check that fit beside the ms in six characters of base 36, and in six digits */
const TASK_CHECKS = Math.floor(36 ** 6 / 1000)
const NOTIFICATION_CHECKS = 1000

export function taskId(mid: Mid, dialect: Dialect): string {
  if (dialect === '1') return uuidOf(mid)
  const { date, time, ms } = partsOf(mid)
  const tail = ms * TASK_CHECKS + (checkOf(mid, 1) % TASK_CHECKS)
  return `task_${date}_${time}_${tail.toString(36).padStart(6, '0')}`
}

/** The mid of a task id in either form; null for what is none. */
export function midOfTask(id: string): Mid | null {
  if (UUID.test(id)) {
    const mid = midOf(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
    return mid !== null && uuidOf(mid) === id.toLowerCase() ? mid : null
  }
  const [, ...parts] = TASK.exec(id) ?? []
  const mid = midOf(timeOf(parts) + Math.floor(Number.parseInt(parts.at(-1) ?? '', 36) / TASK_CHECKS))
  return mid !== null && taskId(mid, '2') === id ? mid : null
}

export function notificationId(mid: Mid): string {
  const { date, time, ms } = partsOf(mid)
  const tail = ms * NOTIFICATION_CHECKS + (checkOf(mid, 2) % NOTIFICATION_CHECKS)
  return `notify_${date}${time}_${String(tail).padStart(6, '0')}`
}

/** Null for what is no id of a notification. */
export function midOfNotification(id: string): Mid | null {
  const [, ...parts] = NOTIFICATION.exec(id) ?? []
  const mid = midOf(timeOf(parts) + Math.floor(Number(parts.at(-1)) / NOTIFICATION_CHECKS))
  return mid !== null && notificationId(mid) === id ? mid : null
}

/** 48 bits of the mid, then the version, 12 bits, the variant, 62 bits. */
function uuidOf(mid: Mid): string {
  const time = Number(mid).toString(16).padStart(12, '0')
  const [a, b, c] = [3, 4, 5].map((seed) => checkOf(mid, seed).toString(16).padStart(8, '0'))
  const variant = (8 + (checkOf(mid, 6) & 3)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-8${a?.slice(0, 3)}-${variant}${a?.slice(3, 6)}-${b}${c?.slice(0, 4)}`
}

/** `20250804`, `090748` and the ms within that second. */
function partsOf(mid: Mid): { readonly date: string; readonly time: string; readonly ms: number } {
  const at = Number(mid)
  const [date = '', time = ''] = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T')
  return { date, time, ms: at % 1000 }
}

/** ms since epoch of year, month, day, hour, minute, second; NaN when they are not there. */
function timeOf([year, month, day, hour, minute, second]: readonly string[]): number {
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
}

function midOf(n: number): Mid | null {
  const mid = String(n).padStart(13, '0')
  return MID.test(mid) ? mid : null
}

/** 32 bits that change by half with each digit of the mid. */
function checkOf(mid: Mid, seed: number): number {
  const n = Number(mid)
  return mixed(mixed(seed * APART + Math.floor(n / WORD)) ^ (n % WORD))
}

/** The finalizer of MurmurHash3 (public domain). */
function mixed(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
