/** Links for messages that are plain text: a line each, after the text. */
import { type Content, linksOf } from './content.ts'

/**
 * `\n<words>: <url>` for each link. The message's own link is left out where all of them would not fit; the one
 * to confirm never is.
 * @param fits whether the lines leave enough room for the text
 */
export function linkLines(content: Content, fits: (lines: string) => boolean): string {
  const all = linesOf(content)
  return fits(all) ? all : linesOf({ ...content, link: null })
}

function linesOf(content: Content): string {
  return linksOf(content)
    .map(({ text, url }) => `\n${text}: ${addressOf(url)}`)
    .join('')
}

/** As browsers write it: without blanks, line breaks and angle brackets, which mean something to some vendors. */
export function addressOf(url: string): string {
  return new URL(url).href
}
