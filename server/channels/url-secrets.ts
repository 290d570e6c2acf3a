/** What is secret in a URL that whoever knows it can post to. */

/** shorter words of a URL are no keys */
const MIN_KEY = 16

/** The URL, what stands behind its host, and each long word in there. */
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
