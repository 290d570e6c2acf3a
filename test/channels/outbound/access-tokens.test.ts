import { describe, expect, test } from 'vitest'
import { createAccessTokens, type Grant } from '../../../server/channels/outbound/access-tokens.ts'
import type { Outcome } from '../../../server/channels/channel.ts'
import { testClock } from '../../helpers/clock.ts'

const HOUR_MS = 3_600_000
const MARGIN_MS = 300_000
const accepted: Outcome = { kind: 'accepted' }

/** A provider that counts how often it is asked, and takes what it gave out until that is revoked. */
function provider(lifetimeMs = 2 * HOUR_MS) {
  const clock = testClock()
  const tokens = createAccessTokens()
  const given: string[] = []
  const used: string[] = []
  const revoked = new Set<string>()
  const self = {
    clock,
    given,
    used,
    takes: (token: string) => !revoked.has(token),
    revoke: () => given.forEach((token) => revoked.add(token)),
    grant: (): Promise<Grant> => {
      const token = `token-${given.length + 1}`
      given.push(token)
      return Promise.resolve({ token, lifetimeMs })
    },
    send: (account = 'a') =>
      tokens.send(
        account,
        clock,
        () => self.grant(),
        (token) => {
          used.push(token)
          const refused = !self.takes(token)
          const outcome: Outcome = refused ? { kind: 'failed', detail: `40014 ${token}`, answer: token } : accepted
          return Promise.resolve({ outcome, refused })
        },
      ),
  }
  return self
}

describe('asked for once', () => {
  test('however many messages follow each other', async () => {
    const { send, given, used } = provider()
    for (let count = 0; count < 5; count += 1) expect(await send()).toEqual(accepted)
    expect(given).toHaveLength(1)
    expect(used).toEqual(Array.from({ length: 5 }, () => 'token-1'))
  })

  test('by messages at the same time', async () => {
    const { send, given, used } = provider()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => send()))
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => accepted))
    expect(given).toHaveLength(1)
    expect(used).toHaveLength(20)
  })

  test('for each account', async () => {
    const { send, given } = provider()
    await Promise.all([send('a'), send('b')])
    expect(given).toHaveLength(2)
  })
})

describe('its life', () => {
  test('ends 300 s early', async () => {
    const { send, given, clock } = provider()
    await send()
    clock.jump(2 * HOUR_MS - MARGIN_MS - 1)
    await send()
    expect(given).toHaveLength(1)
    clock.jump(1)
    await send()
    expect(given).toHaveLength(2)
  })

  test('counts from when it was asked for', async () => {
    const subject = provider()
    const { grant } = subject
    subject.grant = () => {
      subject.clock.jump(MARGIN_MS)
      return grant()
    }
    await subject.send()
    subject.clock.jump(2 * HOUR_MS - 2 * MARGIN_MS)
    await subject.send()
    expect(subject.given).toHaveLength(2)
  })

  test('is used for half of it, however short', async () => {
    const { send, given, clock } = provider(10_000)
    await send()
    clock.jump(4_999)
    await send()
    expect(given).toHaveLength(1)
    clock.jump(1)
    await send()
    expect(given).toHaveLength(2)
  })
})

describe('refused', () => {
  test('it is asked for again and the message sent again', async () => {
    const { send, given, used, revoke } = provider()
    await send()
    revoke()
    expect(await send()).toEqual(accepted)
    expect(used).toEqual(['token-1', 'token-1', 'token-2'])
    await send()
    expect(given).toHaveLength(2)
  })

  test('to many at the same time, it is asked for once more', async () => {
    const { send, given, used, revoke } = provider()
    await send()
    revoke()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => send()))
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => accepted))
    expect(given).toHaveLength(2)
    expect(used).toHaveLength(1 + 20 + 20)
  })

  test('to one that is late, the new one of the others is kept', async () => {
    const clock = testClock()
    const tokens = createAccessTokens()
    let asked = 0
    const ask = () => Promise.resolve({ token: `token-${(asked += 1)}`, lifetimeMs: HOUR_MS })
    let release = () => {}
    const late = new Promise<void>((resolve) => (release = resolve))
    const attempt = (wait: Promise<void>) => async (token: string) => {
      const refused = token === 'token-1'
      if (refused) await wait
      return { outcome: refused ? { kind: 'failed' as const, detail: 'old' } : accepted, refused }
    }
    const slow = tokens.send('a', clock, ask, attempt(late))
    expect(await tokens.send('a', clock, ask, attempt(Promise.resolve()))).toEqual(accepted)
    release()
    expect(await slow).toEqual(accepted)
    expect(asked).toBe(2)
  })

  test('twice, that is the outcome, without the token in it', async () => {
    const subject = provider()
    subject.takes = () => false
    expect(await subject.send()).toEqual({ kind: 'failed', detail: '40014 [secret]', answer: '[secret]' })
    expect(subject.used).toEqual(['token-1', 'token-2'])
    await subject.send()
    expect(subject.given).toHaveLength(3)
  })
})

test('its other spellings are cut out too, and nothing else is lost', async () => {
  const token = 'a/b+c=='
  const said = `${encodeURIComponent(token)} a\\/b+c== ${'x'.repeat(5_000)} the end`
  const outcome = await createAccessTokens().send(
    'a',
    testClock(),
    () => Promise.resolve({ token, lifetimeMs: HOUR_MS }),
    () => Promise.resolve({ outcome: { kind: 'retry', detail: '7', answer: said }, refused: false }),
  )
  expect(outcome).toEqual({ kind: 'retry', detail: '7', answer: `[secret] [secret] ${'x'.repeat(5_000)} the end` })
})

describe('not given', () => {
  const refusal: Outcome = { kind: 'failed', detail: '40001 invalid credential' }

  test('nothing is sent, and all who wait are told', async () => {
    const subject = provider()
    let asked = 0
    subject.grant = () => Promise.resolve({ refusal, asked: (asked += 1) })
    expect(await Promise.all([subject.send(), subject.send()])).toEqual([refusal, refusal])
    expect(asked).toBe(1)
    expect(subject.used).toEqual([])
  })

  test('the next message asks again, even where the clock went back', async () => {
    const subject = provider()
    const { grant } = subject
    subject.grant = () => Promise.resolve({ refusal })
    expect(await subject.send()).toEqual(refusal)
    subject.grant = grant
    subject.clock.jump(-1_000)
    expect(await subject.send()).toEqual(accepted)
  })

  test('nor by an exception', async () => {
    const subject = provider()
    const { grant } = subject
    subject.grant = () => Promise.reject(new Error('broken'))
    await expect(subject.send()).rejects.toThrow('broken')
    subject.grant = grant
    expect(await subject.send()).toEqual(accepted)
  })

  test('in place of a refused one', async () => {
    const subject = provider()
    await subject.send()
    subject.takes = () => false
    subject.grant = () => Promise.resolve({ refusal })
    expect(await subject.send()).toEqual(refusal)
    expect(subject.used).toEqual(['token-1', 'token-1'])
  })
})

test('no more than 1,000 are kept, the newest', async () => {
  const { send, given } = provider()
  const accounts = Array.from({ length: 1_001 }, (_, at) => `account ${at}`)
  for (const account of accounts) await send(account)
  expect(given).toHaveLength(1_001)
  await send('account 1')
  await send('account 1000')
  expect(given).toHaveLength(1_001)
  await send('account 0')
  expect(given).toHaveLength(1_002)
})
