/** Bytes with something wrong in them, for fast-check. */
import fc from 'fast-check'

type Slip = (bytes: Buffer) => Buffer

const place = fc.nat(10_000)
const byte = fc.nat(255)
const at = (bytes: Buffer, n: number) => (bytes.length === 0 ? 0 : n % bytes.length)

/** @param change of one byte */
const change = (n: number, of: (byte: number) => number) => (bytes: Buffer) => {
  const changed = Buffer.from(bytes)
  const where = at(bytes, n)
  changed.set(changed.subarray(where, where + 1).map(of), where)
  return changed
}

const slip: fc.Arbitrary<Slip> = fc.oneof(
  fc.tuple(place, byte).map(([n, value]) => change(n, () => value)),
  fc.tuple(place, fc.nat(7)).map(([n, bit]) => change(n, (value) => value ^ (1 << bit))),
  fc.tuple(place, fc.uint8Array({ maxLength: 6 })).map(([n, more]) => (bytes: Buffer) => {
    const where = at(bytes, n)
    return Buffer.concat([bytes.subarray(0, where), more, bytes.subarray(where)])
  }),
  fc.tuple(place, fc.nat(8)).map(([n, length]) => (bytes: Buffer) => {
    const where = at(bytes, n)
    return Buffer.concat([bytes.subarray(0, where), bytes.subarray(where + length)])
  }),
  fc.tuple(place, fc.nat(40)).map(([n, length]) => (bytes: Buffer) => {
    const where = at(bytes, n)
    return Buffer.concat([bytes.subarray(0, where + length), bytes.subarray(where)])
  }),
  place.map((n) => (bytes: Buffer) => bytes.subarray(0, at(bytes, n))),
)

/** One of the recordings with one to four slips of a byte: changed, turned, put in, left out, doubled, cut. */
export function slips(recordings: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...recordings), fc.array(slip, { minLength: 1, maxLength: 4 }))
    .map(([bytes, some]) => some.reduce<Buffer>((now, make) => make(now), bytes))
}
