import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { postTwilio, twilioTo } from '../../../server/channels/phone/twilio.ts'
import { type VendorBench, vendorBench } from '../../helpers/vendor-bench.ts'
import { vector } from '../../helpers/vectors.ts'

interface Twilio {
  readonly account_sid: string
  readonly auth_token: string
  readonly authorization: string
}

const figures = vector<Twilio>('twilio')
const account = { accountSid: figures.account_sid, authToken: figures.auth_token }

describe('requests', () => {
  let bench: VendorBench
  beforeEach(async () => {
    bench = await vendorBench({ ok: { status: 201, body: '{"sid":"SM1"}' }, check: () => null })
  })
  afterEach(() => bench.close())

  const post = (more: object = {}) =>
    postTwilio('Messages', 'To=%2B1&Body=a+b', { ...account, baseUrl: `${bench.vendor.url}/`, ...more }, bench.io)

  test('carry account and token', async () => {
    expect(await post()).toEqual({ kind: 'accepted' })
    expect(bench.vendor.messages).toMatchObject([
      {
        method: 'POST',
        url: `/2010-04-01/Accounts/${figures.account_sid}/Messages.json`,
        headers: { authorization: figures.authorization },
        body: 'To=%2B1&Body=a+b',
      },
    ])
  })

  test('carry an API key where there is one', async () => {
    await post({ apiKey: 'SK1', authToken: 'secret-of-key' })
    const [request] = bench.vendor.messages
    expect(request?.url).toContain(figures.account_sid)
    expect(request?.headers.authorization).toBe(`Basic ${btoa('SK1:secret-of-key')}`)
  })

  test('are kept secret in both spellings', () => {
    const { secrets } = twilioTo({ ...account, baseUrl: '', from: '+12025550100' }, { to: ['+8613800138000'] })
    expect(secrets).toEqual([figures.auth_token, figures.authorization.slice('Basic '.length)])
  })

  test.each([
    [400, 21211, 'failed'],
    [400, 21408, 'failed'],
    [400, 21610, 'failed'],
    [401, 20003, 'failed'],
    [429, 20429, 'retry'],
    [400, 30001, 'retry'],
    [500, 20500, 'retry'],
  ])('HTTP %i with %i: %s', async (status, code, kind) => {
    const body = JSON.stringify({ code, message: 'why', status })
    bench.vendor.answer = { status, body }
    expect(await post()).toEqual({ kind, detail: `${code} why`, answer: body })
  })
})
