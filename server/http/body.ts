import type { IncomingMessage } from 'node:http'
import { checkKey, parseJson } from '../protocol/json.ts'
import { Refusal } from '../protocol/errors.ts'

/**
 * The body of a POST: JSON, or a form where the path allows one.
 * @throws Refusal too-large, bad-content-type, bad-json and what parseJson throws
 */
export async function readBody(request: IncomingMessage, maxBytes: number, allowForm: boolean): Promise<unknown> {
  const type = request.headers['content-type']?.toLowerCase() ?? ''
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal('bad-content-type', `Unsupported Content Encoding: ${encoding.slice(0, 32)}`)
  }
  const isForm = type.includes('www-form-urlencoded')
  if (!type.includes('json') && !(isForm && allowForm)) {
    throw new Refusal('bad-content-type', `Unsupported Content Type: ${type.slice(0, 64) || 'none'}`)
  }
  const text = await readText(request, maxBytes)
  return isForm ? fieldsOf(new URLSearchParams(text)) : parseJson(text)
}

/** Query or form fields; a repeated key becomes an array. @throws Refusal forbidden-key */
export function fieldsOf(params: URLSearchParams): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {}
  for (const [key, value] of params) {
    checkKey(key)
    const before = fields[key]
    if (before === undefined) fields[key] = value
    else fields[key] = Array.isArray(before) ? [...before, value] : [before, value]
  }
  return fields
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new Refusal('too-large')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new Refusal('too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
