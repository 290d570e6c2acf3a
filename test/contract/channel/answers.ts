/** What a channel makes of the vendor's answers, and of none. */
import { describe, expect, test } from 'vitest'
import { closedPort } from '../../helpers/receiver.ts'
import { type Bench, type ChannelUnderTest, TIMEOUT_MS } from './bench.ts'
import { contentOf } from './content.ts'

const KEPT = 1_024

export function testAnswers(subject: ChannelUnderTest, bench: Bench): void {
  const { responses, malformed = 'failed' } = subject
  const { success } = bench.capabilities

  describe('the vendor says', () => {
    test.each(responses)('$name', async ({ answer, outcome }) => {
      bench.vendor.answer = answer
      const got = await bench.send(contentOf())
      expect(got).toMatchObject(outcome)
      const refused = got.kind === 'failed' || got.kind === 'retry'
      if (refused && success === 'accepted' && answer.body !== '') {
        expect(got.answer).toBe(answer.body.slice(0, KEPT))
      }
    })

    test.each(['', '<html>502</html>', '{"', 'null', '[]', '"ok?"', '{}', '17'])('200 %j', async (body) => {
      bench.vendor.answer = { status: 200, body }
      expect((await bench.send(contentOf())).kind).toBe(malformed)
    })

    test('429 and when', async () => {
      bench.vendor.answer = { status: 429, body: '', headers: { 'retry-after': '700' } }
      expect(await bench.send(contentOf())).toMatchObject({ kind: 'retry', retryAfterMs: 700_000 })
      bench.vendor.answer = { status: 429, body: 'slow down' }
      expect(await bench.send(contentOf())).toMatchObject({ kind: 'retry' })
    })

    test.each([500, 502, 503, 504])('%i', async (status) => {
      bench.vendor.answer = { status, body: '<html>sorry</html>' }
      expect(await bench.send(contentOf())).toMatchObject({
        kind: 'retry',
        detail: expect.stringContaining(`${status}`),
      })
    })
  })

  describe('the vendor says nothing', () => {
    test('in time: nobody knows whether it arrived', async () => {
      bench.vendor.answer = 'silent'
      const outcome = bench.send(contentOf())
      await bench.vendor.received(1)
      await bench.clock.advance(TIMEOUT_MS)
      expect(await outcome).toMatchObject({ kind: 'unknown', detail: expect.stringContaining('no answer') })
      expect(bench.clock.pending).toBe(0)
    })

    test('and cuts the connection', async () => {
      bench.vendor.answer = 'reset'
      expect(await bench.send(contentOf())).toMatchObject({ kind: 'unknown' })
    })

    test('for nobody is there', async () => {
      const endpoint = bench.endpoint(`http://127.0.0.1:${await closedPort()}`)
      expect(await bench.send(contentOf(), { endpoint })).toMatchObject({ kind: 'retry', detail: 'ECONNREFUSED' })
      expect(bench.vendor.messages).toEqual([])
    })
  })

  test('a message that failed is asked about once, never again', async () => {
    bench.vendor.answer = { status: 503, body: '' }
    await bench.send(contentOf())
    await bench.clock.advance(60_000)
    expect(bench.vendor.messages).toHaveLength(subject.parts ?? 1)
  })
}
