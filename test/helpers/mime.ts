/** Reads mails as a mail program does: an own, small reader of RFC 5322, 2045 and 2047, independent of what wrote them. */

export interface ReadMail {
  /** names in lower case; unfolded, encoded words decoded; several of one name in order */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** media types of all parts in order, `text/plain` */
  readonly types: readonly string[]
  /** decoded, LF line ends; null where there is none */
  readonly text: string | null
  readonly html: string | null
}

/** @param raw as it came, CRLF line ends, one character for each byte */
export function readMail(raw: string): ReadMail {
  const { head, body } = halves(raw)
  const headers = headersOf(head)
  const parts = partsOf(headers, body)
  const bodyOf = (type: string) => parts.find((part) => part.type === type)?.body ?? null
  return { headers, types: parts.map(({ type }) => type), text: bodyOf('text/plain'), html: bodyOf('text/html') }
}

/** The only header of its name. */
export function headerOf({ headers }: ReadMail, name: string): string | null {
  const values = headers.get(name.toLowerCase()) ?? []
  if (values.length > 1) throw new Error(`${values.length} headers ${name}`)
  return values[0] ?? null
}

function halves(raw: string): { head: string; body: string } {
  const at = raw.indexOf('\r\n\r\n')
  return at === -1 ? { head: raw, body: '' } : { head: raw.slice(0, at), body: raw.slice(at + 4) }
}

function headersOf(head: string): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>()
  for (const line of head.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), words(line.slice(colon + 1).trim())])
  }
  return headers
}

/** RFC 2047: blanks between two encoded words are no part of the text, and a character may be cut across them. */
function words(value: string): string {
  const joined = value.replaceAll(/(\?=)\s+(=\?)/g, '$1$2')
  return utf8(
    joined.replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('latin1') : quoted(text.replaceAll('_', ' ')),
    ),
  )
}

interface Part {
  readonly type: string
  readonly body: string
}

function partsOf(headers: ReadonlyMap<string, readonly string[]>, body: string): readonly Part[] {
  const contentType = headers.get('content-type')?.[0] ?? 'text/plain'
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (boundary !== undefined) {
    const inside = body.split(`--${boundary}`).slice(1, -1)
    const parts = inside.map((part) => halves(part.replace(/^\r\n/, '').replace(/\r\n$/, '')))
    return [{ type, body: '' }, ...parts.flatMap((part) => partsOf(headersOf(part.head), part.body))]
  }
  const encoding = headers.get('content-transfer-encoding')?.[0] ?? '7bit'
  return [{ type, body: utf8(decoded(encoding, body)).replaceAll('\r\n', '\n') }]
}

function decoded(encoding: string, body: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('latin1')
  return encoding === 'quoted-printable' ? quoted(body.replaceAll(/=\r\n/g, '')) : body
}

function quoted(text: string): string {
  return text.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}
