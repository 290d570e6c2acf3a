/** Calls that name their target: tried once, and only where the account may reach. */
import { describe, expect, test } from 'vitest'
import type { Bench, ChannelUnderTest, DirectCall } from './bench.ts'
import { contentOf } from './content.ts'

export function testDirect(subject: ChannelUnderTest, bench: Bench): void {
  const { direct } = subject
  if (!direct) return
  describe('direct', () => testCalls(subject, direct, bench))
}

function testCalls({ responses }: ChannelUnderTest, direct: DirectCall, bench: Bench): void {
  const to = (target: unknown) => contentOf({}, { target })

  test('a target is reached', async () => {
    const outcome = await bench.send(to(direct.target), { endpoint: bench.direct() })
    expect(outcome).toMatchObject({ kind: bench.capabilities.success })
    expect(bench.vendor.messages).toHaveLength(1)
  })

  test('what the vendor answered is handed back', async () => {
    const refusal = responses.find(({ outcome }) => outcome.kind === 'failed')
    bench.vendor.answer = refusal?.answer ?? { status: 400, body: 'no' }
    const outcome = await bench.send(to(direct.target), { endpoint: bench.direct() })
    expect(outcome).toMatchObject({ kind: 'failed', answer: refusal?.answer.body ?? 'no' })
  })

  test('no other is', async () => {
    for (const target of [...direct.refused, 17]) {
      expect(await bench.send(to(target), { endpoint: bench.direct() })).toMatchObject({ kind: 'failed' })
    }
    expect(bench.vendor.messages).toEqual([])
  })

  test('it is tried once and sent once', () => {
    expect(bench.direct().backoff.tries).toBe(1)
    expect(bench.direct().capabilities.onUnknown).toBe('skip')
  })
}
