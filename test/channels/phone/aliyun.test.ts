import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  acs3Authorization,
  type AliyunAccount,
  callAliyun,
  canonicalQuery,
  rpcSignature,
} from '../../../server/channels/phone/aliyun.ts'
import { type VendorBench, vendorBench } from '../../helpers/vendor-bench.ts'
import { aliyunAccount, checkAliyun, paramsOf } from '../../helpers/phone-vendors.ts'
import { vector } from '../../helpers/vectors.ts'

interface Rpc {
  readonly params: Record<string, string>
  readonly access_key_secret: string
  readonly method?: 'GET' | 'POST'
  readonly canonicalized_query?: string
  readonly signature?: string
  readonly expected?: string
}

interface Acs3 {
  readonly query: Record<string, string>
  readonly headers: Record<string, string>
  readonly access_key_id: string
  readonly access_key_secret: string
  readonly authorization?: string
  readonly signature?: string
  readonly expected?: string
}

describe('signatures', () => {
  test.each(['aliyun-rpc-published', 'aliyun-rpc-sms', 'aliyun-rpc-vms'])('%s', (name) => {
    const { params, access_key_secret, method = 'GET', canonicalized_query, signature, expected } = vector<Rpc>(name)
    const query = canonicalQuery(new URLSearchParams(params))
    if (canonicalized_query !== undefined) expect(query).toBe(canonicalized_query)
    expect(rpcSignature(access_key_secret, method, query)).toBe(signature ?? expected)
  })

  test.each(['aliyun-acs3-published', 'aliyun-acs3-sms'])('%s', (name) => {
    const { query, headers, access_key_id, access_key_secret, authorization, signature, expected } = vector<Acs3>(name)
    const account = { accessKeyId: access_key_id, accessKeySecret: access_key_secret }
    const made = acs3Authorization(account, '/', canonicalQuery(new URLSearchParams(query)), headers)
    expect(made).toContain(`Signature=${signature ?? expected}`)
    if (authorization !== undefined) expect(made).toBe(authorization)
  })

  test('what browsers leave as it is in queries is encoded', () => {
    const params = new URLSearchParams([
      ['b', "!'()*~ +/é"],
      ['B', '1'],
      ['a', ''],
    ])
    expect(canonicalQuery(params)).toBe('B=1&a=&b=%21%27%28%29%2A~%20%2B%2F%C3%A9')
  })
})

describe('calls', () => {
  const nonces = new Set<string>()
  let bench: VendorBench
  beforeEach(async () => {
    bench = await vendorBench({
      ok: { status: 200, body: '{"Code":"OK"}' },
      check: (request, now) => checkAliyun('SendSms', request, now, nonces),
    })
  })
  afterEach(() => bench.close())

  const call = (signature: AliyunAccount['signature'], path = '') =>
    callAliyun(
      'SendSms',
      new URLSearchParams({ SignName: "测试(*) '!" }).toString(),
      { ...aliyunAccount, signature, baseUrl: `${bench.vendor.url}${path}` },
      bench.io,
    )

  test.each(['acs3', 'rpc'] as const)('are signed anew each time: %s', async (signature) => {
    expect(await call(signature)).toEqual({ kind: 'accepted' })
    bench.clock.jump(3_600_000)
    expect(await call(signature)).toEqual({ kind: 'accepted' })
    expect(bench.vendor.complaints).toEqual([])
    expect(bench.vendor.messages.map((request) => paramsOf(request)['SignName'])).toEqual(["测试(*) '!", "测试(*) '!"])
  })

  test('the path of a gateway is part of what is signed', async () => {
    expect(await call('acs3', '/gateway/')).toEqual({ kind: 'accepted' })
    expect(bench.vendor.messages[0]?.url).toMatch(/^\/gateway\/\?SignName=/)
  })

  test('with a wrong key is refused, for good', async () => {
    const account = {
      ...aliyunAccount,
      accessKeySecret: 'other',
      signature: 'acs3' as const,
      baseUrl: bench.vendor.url,
    }
    expect(await callAliyun('SendSms', '', account, bench.io)).toMatchObject({ kind: 'failed', detail: 'HTTP 400' })
    expect(bench.vendor.complaints).toEqual(['SignatureDoesNotMatch'])
  })

  test.each([
    ['isp.GATEWAY_ERROR', 'retry'],
    ['Throttling', 'retry'],
    ['Throttling.Api', 'retry'],
    ['isp.RAM_PERMISSION_DENY', 'failed'],
    ['isv.OUT_OF_SERVICE', 'failed'],
    ['isv.MOBILE_NUMBER_ILLEGAL', 'failed'],
    ['isv.BLACK_KEY_CONTROL_LIMIT', 'failed'],
    ['InvalidAccessKeyId.NotFound', 'failed'],
    ['constructor', 'failed'],
  ])('%s: %s', async (code, kind) => {
    const body = JSON.stringify({ Code: code, Message: 'why', RequestId: 'a' })
    bench.vendor.answer = { status: 200, body }
    expect(await call('acs3')).toEqual({ kind, detail: `${code} why`, answer: body })
  })
})
