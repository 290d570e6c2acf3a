/** Where a reader may click, as vendors take it. */
import type { Content } from '../content.ts'

export interface Link {
  readonly text: string
  readonly url: string
}

/**
 * The message's own link, then the confirm page. Where not all of them fit the message's own is left out; the one
 * to confirm never is.
 */
export function linksOf(
  { link, confirmUrl }: Pick<Content, 'link' | 'confirmUrl'>,
  fit: (links: readonly Link[]) => boolean = () => true,
): readonly Link[] {
  const own = link === null ? [] : [{ text: '查看详情 Details', url: addressOf(link) }]
  const confirm = confirmUrl === null ? [] : [{ text: '确认收到 Confirm', url: addressOf(confirmUrl) }]
  const all = [...own, ...confirm]
  return fit(all) ? all : confirm
}

/** A line for each, to stand behind plain text: `\n<words>: <url>`. @param fit whether they leave enough room */
export function linkLines(content: Content, fit: (lines: string) => boolean = () => true): string {
  return linesOf(linksOf(content, (links) => fit(linesOf(links))))
}

function linesOf(links: readonly Link[]): string {
  return links.map(({ text, url }) => `\n${text}: ${url}`).join('')
}

/** `[words](url)`. The URL's own brackets would end it. */
export function markdownLink({ text, url }: Link): string {
  return `[${text}](${url.replaceAll('(', '%28').replaceAll(')', '%29')})`
}

/** As browsers write it: without blanks, line breaks and angle brackets, which mean something to some vendors. */
export function addressOf(url: string): string {
  return new URL(url).href
}
