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
  return isForm ? Object.fromEntries(fieldsOf(new URLSearchParams(text))) : parseJson(text)
}

/** Query or form fields; a repeated key becomes an array. @throws Refusal forbidden-key */
export function fieldsOf(params: URLSearchParams): Map<string, string | string[]> {
  const fields = new Map<string, string | string[]>()
  params.forEach((value, key) => {
    const before = fields.get(key)
    if (before === undefined) {
      checkKey(key)
      fields.set(key, value)
    } else if (Array.isArray(before)) before.push(value)
    else fields.set(key, [before, value])
  })
  return fields
}

/** Beyond the limit the rest is read and dropped until the refusal is out: cutting the socket would lose it. */
function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(new Refusal('too-large'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) {
        chunks.push(chunk)
        return
      }
      chunks.length = 0
      reject(new Refusal('too-large'))
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('close', () => {
      if (!request.complete) reject(new Refusal('bad-json', 'the body ended before it was whole'))
    })
  })
}
