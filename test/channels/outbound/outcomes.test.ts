import { describe, expect, test } from 'vitest'
import { outcomeOfStatus, refusal, unanswered } from '../../../server/channels/outbound/outcomes.ts'

const passing = new Map([
  ['45009', 60_000],
  ['-1', 0],
])
const answered = (status: number, retryAfterMs: number | null = null) => ({
  ok: true as const,
  status,
  body: '{"as it":"came"}',
  retryAfterMs,
})
const said = (code: string) => ({ code, text: 'in words' })

describe("the vendor's code", () => {
  test('is final unless it is said to pass', () => {
    expect(refusal(answered(200), said('93000'), passing)).toEqual({
      kind: 'failed',
      detail: '93000 in words',
      answer: '{"as it":"came"}',
    })
  })

  test('that passes says how long to wait', () => {
    expect(refusal(answered(200), said('45009'), passing)).toMatchObject({ kind: 'retry', retryAfterMs: 60_000 })
  })

  test('that passes by itself leaves it to the hub', () => {
    const outcome = refusal(answered(200), said('-1'), passing)
    expect(outcome).toMatchObject({ kind: 'retry', detail: '-1 in words' })
    expect(outcome).not.toHaveProperty('retryAfterMs')
  })

  test('passes with a 4xx too', () => {
    expect(refusal(answered(400), said('45009'), passing)).toMatchObject({ kind: 'retry' })
  })

  test('waits as long as the header says', () => {
    expect(refusal(answered(429, 5_000), said('45009'), passing)).toMatchObject({ retryAfterMs: 5_000 })
  })

  test('is not looked for in what every object has', () => {
    expect(refusal(answered(200), said('constructor'), passing)).toMatchObject({ kind: 'failed' })
  })

  test.each([429, 500, 503])('that nobody knows passes where the status does: %i', (status) => {
    expect(refusal(answered(status), said('unheard.of'), passing)).toMatchObject({ kind: 'retry' })
  })

  test('without words stands alone', () => {
    expect(refusal(answered(200), { code: '7', text: '' }, passing)).toMatchObject({ detail: '7' })
  })
})

describe('no code', () => {
  test.each([408, 425, 429, 500, 502, 599])('HTTP %i passes', (status) => {
    expect(refusal(answered(status), null, passing)).toMatchObject({ kind: 'retry', detail: `HTTP ${status}` })
  })

  test.each([301, 400, 401, 403, 404, 413, 418, 431])('HTTP %i stays', (status) => {
    expect(refusal(answered(status), null, passing)).toMatchObject({ kind: 'failed', detail: `HTTP ${status}` })
  })

  test('a 200 that makes no sense is no success', () => {
    expect(refusal(answered(200), null, passing)).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('no sense'),
    })
    expect(refusal(answered(200), null, passing, 'retry')).toMatchObject({ kind: 'retry' })
  })
})

describe('of a program, the status', () => {
  const answer = (code: number, retryAfterMs: number | null = null) =>
    outcomeOfStatus({ ok: true, status: code, body: '', retryAfterMs }, { kind: 'delivered' })

  test.each([200, 201, 204, 299])('%i is success', (code) => {
    expect(answer(code)).toEqual({ kind: 'delivered' })
  })

  test.each([301, 307, 400, 401, 404, 408, 425, 429, 500, 502, 503])('%i is tried again', (code) => {
    expect(answer(code)).toEqual({ kind: 'retry', detail: `HTTP ${code}` })
    expect(answer(code, 5)).toEqual({ kind: 'retry', detail: `HTTP ${code}`, retryAfterMs: 5 })
  })

  test.each([410, 413, 414, 431])('%i is not', (code) => {
    expect(answer(code)).toEqual({ kind: 'failed', detail: `HTTP ${code}` })
  })

  test('a lost answer is unknown, one that never left is tried again', () => {
    const lost = { ok: false, detail: 'x', maybeDelivered: true } as const
    expect(outcomeOfStatus(lost, { kind: 'delivered' })).toEqual({ kind: 'unknown', detail: 'x' })
    expect(unanswered({ ...lost, maybeDelivered: false })).toEqual({ kind: 'retry', detail: 'x' })
  })
})
