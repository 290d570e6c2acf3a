/**
 * The address of a hub for one of its two doors: both are on one port, so either scheme names the same hub.
 * @throws TypeError when it is no URL
 */
export function hubUrl(url: string, scheme: 'http' | 'ws'): string {
  const found = new URL(url)
  found.protocol = found.protocol.replace(/^(http|ws)/, scheme)
  found.hash = ''
  return found.href
}
