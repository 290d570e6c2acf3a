/** Messages as the hub hands them to channels. */
import type { Content } from '../../../server/channels/content.ts'

const MID = '1800000000001'

/** A person behind it is asked to confirm here. */
export const CONFIRM_URL = 'https://hub.example.com/confirm?m=1800000000001&r=ops&s=mFz0r1cY2vPq-8_dLw4K6tXe'
export const LINK = 'https://shop.example.com/orders/7?tab=items&lang=zh'

/** @param extra what the sender added to the message, beside title and body */
export function contentOf(
  said: Partial<Omit<Content, 'frame'>> = {},
  extra: Readonly<Record<string, unknown>> = {},
): Content {
  const { title = 'Disk full', body = 'nas1: /data has 3 GB left' } = said
  return {
    frame: {
      sendType: 'personal',
      target: 'ops',
      from: { method: 'http', name: '' },
      message: { text: title, desp: body, extra },
      mid: MID,
    },
    level: 'info',
    style: 'text',
    at: Number(MID),
    recipient: 'ops',
    link: null,
    confirmUrl: null,
    ...said,
    title,
    body,
  }
}

/** `[1] [2] [3] …`: each of them once, in paragraphs, about `bytes` of UTF-8 long. */
export function numbered(bytes: number, word: string): string {
  const items: string[] = []
  let size = 0
  for (let at = 1; size < bytes; at += 1) {
    const item = `${word}[${at}]${at % 50 === 0 ? '\n\n' : ' '}`
    items.push(item)
    size += Buffer.byteLength(item)
  }
  return items.join('').trim()
}

/** The numbers that a reader sees of `numbered`. */
export function numbersIn(shown: string): number[] {
  return [...shown.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number))
}
