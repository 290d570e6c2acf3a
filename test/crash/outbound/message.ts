/** What a message of a run says: its id in a form that every vendor's markup leaves as it is. */
import type { Received } from '../../helpers/receiver.ts'

const ID = /number (p\d+x\d+) /
const WORDS = 20

export function titleOf(id: string): string {
  return `number ${id} begins`
}

export function textOf(id: string): string {
  return `${`${id}, `.repeat(WORDS)}end of ${id}`
}

/** Null where none stands in it. */
export function idIn(text: string): string | null {
  return ID.exec(text.replaceAll('+', ' '))?.[1] ?? null
}

/** Whether the message is there from its beginning to its end. */
export function isWhole(id: string, { url, body }: Pick<Received, 'url' | 'body'>): boolean {
  const text = url.includes('text=') ? decodeURIComponent(url.replaceAll('+', ' ')) : body
  return text.includes(titleOf(id)) && text.includes(textOf(id))
}
