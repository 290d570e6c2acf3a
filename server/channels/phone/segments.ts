/** What an SMS costs: each segment is paid for (3GPP TS 23.038 and 23.040). */
import { shortened } from '../text/pieces.ts'

const GSM =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
/** behind an escape, so they count twice */
const EXTENSION = '\f^{}\\[~]|€'
const SEPTETS: ReadonlyMap<string, number> = new Map([
  ...[...GSM].map((character): [string, number] => [character, 1]),
  ...[...EXTENSION].map((character): [string, number] => [character, 2]),
])

const GSM_ROOM = { alone: 160, joined: 153 }
/** UTF-16 units; one character outside GSM-7 makes the whole text UCS-2 */
const UCS2_ROOM = { alone: 70, joined: 67 }

const ELLIPSIS = '…'
/** `…` is not in GSM-7 and would make all of it more than twice as dear */
const GSM_ELLIPSIS = '...'

/** Segments that the text becomes; 1 for an empty one. No character is cut in two. */
export function segmentsOf(text: string): number {
  return packed(text).segments
}

interface Packed {
  readonly segments: number
  /** of the last one */
  readonly used: number
  readonly room: { readonly alone: number; readonly joined: number }
}

function packed(text: string): Packed {
  const gsm = isGsm(text)
  const room = gsm ? GSM_ROOM : UCS2_ROOM
  const sizes = [...text].map((character) => (gsm ? (SEPTETS.get(character) ?? 1) : character.length))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total <= room.alone) return { segments: 1, used: total, room }
  let segments = 1
  let used = 0
  for (const size of sizes) {
    if (used + size > room.joined) {
      segments += 1
      used = 0
    }
    used += size
  }
  return { segments, used, room }
}

/** How much of so many segments the text takes. */
function filled(text: string, most: number): number {
  const { segments, used, room } = packed(text)
  return ((segments - 1) * room.joined + used) / (most === 1 ? room.alone : most * room.joined)
}

/**
 * As much of the start of `text`, with `tail` behind it, as `most` segments hold; an ellipsis where it was cut.
 * The tail is never cut.
 */
export function inSegments(text: string, tail: string, most: number): string {
  const whole = text + tail
  if (segmentsOf(whole) <= most) return whole
  const ellipsis = isGsm(whole) ? GSM_ELLIPSIS : ELLIPSIS
  const cut = (short: string) => (short.endsWith(ELLIPSIS) ? short.slice(0, -ELLIPSIS.length) + ellipsis : short)
  return cut(shortened(text, (short) => filled(cut(short) + tail, most))) + tail
}

export function isGsm(text: string): boolean {
  for (const character of text) if (!SEPTETS.has(character)) return false
  return true
}
