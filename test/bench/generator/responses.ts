/** HTTP/1.1 responses with a Content-Length, read by hand from a keep-alive connection. */
import { type Reader, reader } from './frames.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const LENGTH = /\r\ncontent-length: *(\d+)/i

/** `read` throws on a response without a Content-Length. */
export function responseReader(onResponse: (status: number, body: string) => void): Reader {
  return reader((bytes, at) => {
    const headEnd = bytes.indexOf(HEAD_END, at)
    if (headEnd < 0) return null
    const head = bytes.toString('latin1', at, headEnd)
    const length = LENGTH.exec(head)?.[1]
    if (length === undefined) throw new Error(`a response without Content-Length:\n${head}`)
    const start = headEnd + HEAD_END.length
    const end = start + Number(length)
    if (end > bytes.length) return null
    onResponse(Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)), bytes.toString('utf8', start, end))
    return end
  })
}
