import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendTencentSms, tc3Authorization } from '../../../server/channels/phone/tencent.ts'
import { type VendorBench, vendorBench } from '../../helpers/vendor-bench.ts'
import { checkTencent, tencentAccount } from '../../helpers/phone-vendors.ts'
import { vector } from '../../helpers/vectors.ts'

interface Tc3 {
  readonly secret_id: string
  readonly secret_key: string
  readonly timestamp: number
  readonly payload: string
  readonly service?: string
  readonly host?: string
  readonly action?: string
  readonly authorization?: string
  readonly expected?: string
  readonly signature?: string
}

test.each(['tencent-tc3-published', 'tencent-tc3-sms'])('%s', (name) => {
  const { secret_id, secret_key, timestamp, payload, expected, signature, authorization, ...other } = vector<Tc3>(name)
  const { service = 'sms', host = 'sms.tencentcloudapi.com', action = 'SendSms' } = other
  const account = { secretId: secret_id, secretKey: secret_key }
  const made = tc3Authorization(account, { service, host, action, timestamp, body: payload })
  expect(made).toContain(`Signature=${signature ?? expected}`)
  if (authorization !== undefined) expect(made).toBe(authorization)
})

describe('a message', () => {
  const body = JSON.stringify({ PhoneNumberSet: ['+8613800138000'], SignName: '测试' })
  let bench: VendorBench
  beforeEach(async () => {
    bench = await vendorBench({ ok: answerOf('Ok'), check: checkTencent })
  })
  afterEach(() => bench.close())

  const send = (more: Partial<typeof tencentAccount> = {}) =>
    sendTencentSms(body, { ...tencentAccount, region: 'ap-nanjing', baseUrl: bench.vendor.url, ...more }, bench.io)

  test('is signed at the time of each attempt', async () => {
    expect(await send()).toEqual({ kind: 'accepted' })
    bench.clock.jump(86_400_000)
    expect(await send()).toEqual({ kind: 'accepted' })
    expect(bench.vendor.complaints).toEqual([])
    expect(bench.vendor.messages[0]).toMatchObject({ body, headers: { 'x-tc-region': 'ap-nanjing' } })
  })

  test('with a wrong key is refused, for good', async () => {
    expect(await send({ secretKey: 'other' })).toMatchObject({ kind: 'failed', detail: 'HTTP 400' })
    expect(bench.vendor.complaints).toEqual(['AuthFailure.SignatureFailure'])
  })

  test.each([
    ['InternalError.OtherError', { kind: 'retry' }],
    ['LimitExceeded.PhoneNumberThirtySecondLimit', { kind: 'retry', retryAfterMs: 30_000 }],
    ['InvalidParameterValue.IncorrectPhoneNumber', { kind: 'failed' }],
    ['UnauthorizedOperation.RequestPermissionDeny', { kind: 'failed' }],
  ])('%s', async (code, outcome) => {
    bench.vendor.answer = answerOf(code)
    expect(await send()).toEqual({ ...outcome, detail: `${code} why`, answer: answerOf(code).body })
  })

  test('an error of the request stands, whatever else is in the answer', async () => {
    const Error = { Code: 'AuthFailure.SecretIdNotFound', Message: 'no' }
    bench.vendor.answer = {
      status: 200,
      body: JSON.stringify({ Response: { Error, SendStatusSet: [{ Code: 'Ok' }] } }),
    }
    expect(await send()).toMatchObject({ kind: 'failed', detail: 'AuthFailure.SecretIdNotFound no' })
  })
})

function answerOf(Code: string) {
  const body = JSON.stringify({ Response: { SendStatusSet: [{ Code, Message: 'why' }], RequestId: 'a' } })
  return { status: 200, body }
}
