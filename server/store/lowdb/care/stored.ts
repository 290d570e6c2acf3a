/** Reads a lowdb file without changing it, and says where it is wrong. */
import { readFile } from 'node:fs/promises'
import { dataIn, nullIfMissing } from '../file.ts'

const SPACE = 0x20
const END = '}\n'

export type Stored<T> =
  | { readonly state: 'sound'; readonly data: T; readonly size: number }
  | { readonly state: 'missing' }
  | {
      readonly state: 'damaged'
      readonly what: string
      /** first byte that is wrong; null: somewhere in it */
      readonly offset: number | null
      /** as far as it can be read */
      readonly text: string
    }

export async function readStored<T>(path: string): Promise<Stored<T>> {
  const bytes = await readFile(path).catch(nullIfMissing)
  if (bytes === null) return { state: 'missing' }
  const text = bytes.toString('utf8')
  const json = dataIn(text)
  if (json === null) return { state: 'damaged', text, ...faultOf(bytes, text) }
  // the checksum vouches that this is what the store wrote for the same T
  const data: T = JSON.parse(json)
  return { state: 'sound', data, size: bytes.length }
}

function faultOf(bytes: Buffer, text: string): { readonly what: string; readonly offset: number | null } {
  if (bytes.length === 0) return { what: 'it is empty', offset: 0 }
  const control = bytes.findIndex((byte, at) => byte < SPACE && at < bytes.length - 1)
  if (control >= 0) return { what: 'it holds bytes that are no text', offset: control }
  const mangled = firstDifference(bytes, Buffer.from(text))
  if (mangled !== null) return { what: 'it holds bytes that are no text', offset: mangled }
  if (!text.endsWith(END)) return { what: 'it ends too early', offset: bytes.length }
  return { what: 'its checksum does not match', offset: null }
}

function firstDifference(one: Buffer, other: Buffer): number | null {
  if (one.equals(other)) return null
  const at = one.findIndex((byte, place) => byte !== other[place])
  return at < 0 ? one.length : at
}
