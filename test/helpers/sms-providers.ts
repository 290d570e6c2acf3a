/** The providers of SMS as the contract suite needs them: a platform for each, and what its vendor makes of requests. */
import sms from '../../server/channels/sms.ts'
import type { ChannelUnderTest } from '../contract/channel.ts'
import {
  aliyunAccount,
  checkAliyun,
  checkTencent,
  checkTwilio,
  complaintAboutVariables,
  formOf,
  paramsOf,
  tencentAccount,
  twilioAccount,
} from './phone-vendors.ts'
import type { Received } from './receiver.ts'

export const TO = '+8613800138000'
const nonces = new Set<string>()

function json(status: number, body: unknown) {
  return { status, body: JSON.stringify(body) }
}

export const twilio: ChannelUnderTest = {
  channel: sms,
  platform: (baseUrl) => ({ provider: 'twilio', ...twilioAccount, from: '+12025550100', baseUrl, to: [TO] }),
  ok: json(201, { sid: 'SM0123456789abcdef0123456789abcdef', status: 'queued', error_code: null }),
  check: (request) => checkTwilio('Messages', request),
  // three dots are the ellipsis of GSM-7
  shown: (request) => (formOf(request)['Body'] ?? '').replaceAll('...', '…'),
  counted: (request) => formOf(request)['Body'] ?? '',
  overflow: 'cut',
  responses: [
    {
      name: 'no such number',
      answer: json(400, { code: 21211, message: "Invalid 'To' Phone Number", status: 400 }),
      outcome: { kind: 'failed', detail: "21211 Invalid 'To' Phone Number" },
    },
    {
      name: 'they opted out',
      answer: json(400, { code: 21610, message: 'Attempt to send to unsubscribed recipient', status: 400 }),
      outcome: { kind: 'failed' },
    },
    {
      name: 'no such account',
      answer: json(401, { code: 20003, message: 'Authenticate', status: 401 }),
      outcome: { kind: 'failed', detail: '20003 Authenticate' },
    },
    {
      name: 'too many at once',
      answer: json(429, { code: 20429, message: 'Too Many Requests', status: 429 }),
      outcome: { kind: 'retry', detail: '20429 Too Many Requests' },
    },
    { name: 'queue full', answer: json(400, { code: 30001, message: 'Queue overflow' }), outcome: { kind: 'retry' } },
    { name: 'down', answer: json(503, { code: 20503, message: 'Unavailable' }), outcome: { kind: 'retry' } },
  ],
  secrets: [twilioAccount.authToken, btoa(`${twilioAccount.accountSid}:${twilioAccount.authToken}`)],
  direct: {
    account: (baseUrl) => ({ provider: 'twilio', ...twilioAccount, from: '+12025550100', baseUrl }),
    target: { to: ['+1 (202) 555-0101'] },
    refused: [{}, { to: [] }, { to: ['12'] }, { to: TO }, { to: ['13800138000'] }, { to: [TO], template: 'SMS_1' }],
  },
}

const params = { title: 'title', msg: 'body' }
export const aliyun: ChannelUnderTest = {
  channel: sms,
  platform: (baseUrl) => ({
    provider: 'aliyun',
    ...aliyunAccount,
    signName: '测试(*)',
    template: 'SMS_1',
    params,
    baseUrl,
    to: [TO],
  }),
  ok: json(200, { Code: 'OK', Message: 'OK', BizId: '900619746936498440^0', RequestId: 'F655A8D5' }),
  check: (request, now) =>
    checkAliyun('SendSms', request, now, nonces) ?? complaintAboutVariables(Object.values(aliyunValues(request)), 35),
  shown: (request) => Object.values(aliyunValues(request)).join('\n'),
  counted: (request) => Object.values(aliyunValues(request)).join(''),
  overflow: 'cut',
  links: false,
  responses: [
    {
      name: 'no such template',
      answer: json(200, { Code: 'isv.SMS_TEMPLATE_ILLEGAL', Message: '模板不合法', RequestId: 'A' }),
      outcome: { kind: 'failed', detail: 'isv.SMS_TEMPLATE_ILLEGAL 模板不合法' },
    },
    {
      name: 'wrong key',
      answer: json(400, { Code: 'SignatureDoesNotMatch', Message: 'Specified signature is not matched' }),
      outcome: { kind: 'failed' },
    },
    {
      name: 'no money',
      answer: json(200, { Code: 'isv.AMOUNT_NOT_ENOUGH', Message: '账户余额不足' }),
      outcome: { kind: 'failed' },
    },
    { name: 'ill', answer: json(200, { Code: 'isp.SYSTEM_ERROR', Message: '系统错误' }), outcome: { kind: 'retry' } },
    {
      name: 'too many requests',
      answer: json(400, { Code: 'Throttling.User', Message: 'Request was denied due to user flow control.' }),
      outcome: { kind: 'retry' },
    },
    {
      name: 'too many a minute to this number',
      answer: json(200, { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: '触发分钟级流控Permits:1' }),
      outcome: { kind: 'retry', retryAfterMs: 60_000 },
    },
    {
      name: 'too many a day to this number',
      answer: json(200, { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: '触发天级流控Permits:10' }),
      outcome: { kind: 'failed' },
    },
  ],
  secrets: [aliyunAccount.accessKeySecret],
  direct: {
    account: (baseUrl) => ({ provider: 'aliyun', ...aliyunAccount, signName: '测试', baseUrl }),
    target: { to: ['13800138000'], template: 'SMS_2', params: { code: 1234 } },
    refused: [{ to: [TO] }, { to: [TO], template: 'SMS_2', params: ['1234'] }, { to: ['abc'], template: 'SMS_2' }],
  },
}

function aliyunValues(request: Received): Record<string, unknown> {
  return JSON.parse(paramsOf(request)['TemplateParam'] ?? '') as Record<string, unknown>
}

const status = (Code: string, Message: string) =>
  json(200, { Response: { SendStatusSet: [{ Code, Message, PhoneNumber: TO, SerialNo: '' }], RequestId: 'a' } })
const error = (Code: string, Message: string) => json(200, { Response: { Error: { Code, Message }, RequestId: 'a' } })

export const tencent: ChannelUnderTest = {
  channel: sms,
  platform: (baseUrl) => ({
    provider: 'tencent',
    ...tencentAccount,
    sdkAppId: '1400006666',
    signName: '测试',
    template: '1110',
    params: ['title', 'body'],
    maxLength: 40,
    baseUrl,
    to: [TO],
  }),
  ok: status('Ok', 'send success'),
  check: (request, now) => checkTencent(request, now) ?? complaintAboutVariables(tencentValues(request), 40),
  shown: (request) => tencentValues(request).join('\n'),
  counted: (request) => tencentValues(request).join(''),
  overflow: 'cut',
  links: false,
  responses: [
    {
      name: 'no such template',
      answer: status('FailedOperation.TemplateIncorrectOrUnapproved', 'template is not approved'),
      outcome: { kind: 'failed', detail: 'FailedOperation.TemplateIncorrectOrUnapproved template is not approved' },
    },
    {
      name: 'wrong key',
      answer: error('AuthFailure.SignatureFailure', 'could not be validated'),
      outcome: { kind: 'failed', detail: 'AuthFailure.SignatureFailure could not be validated' },
    },
    { name: 'ill', answer: error('InternalError', 'internal error'), outcome: { kind: 'retry' } },
    {
      name: 'too many requests',
      answer: error('RequestLimitExceeded.IPLimitExceeded', 'slow down'),
      outcome: { kind: 'retry' },
    },
    {
      name: 'too many to this number',
      answer: status('LimitExceeded.PhoneNumberThirtySecondLimit', 'frequency limit'),
      outcome: { kind: 'retry', retryAfterMs: 30_000 },
    },
    {
      name: 'nothing of the number',
      answer: json(200, { Response: { SendStatusSet: [] } }),
      outcome: { kind: 'failed' },
    },
  ],
  secrets: [tencentAccount.secretKey],
  direct: {
    account: (baseUrl) => ({
      provider: 'tencent',
      ...tencentAccount,
      sdkAppId: '1400006666',
      signName: '测试',
      baseUrl,
    }),
    target: { to: [TO], template: '1111', params: ['1234', 5] },
    refused: [{ to: [TO] }, { to: [TO], template: '1111', params: { code: '1234' } }],
  },
}

function tencentValues(request: Received): unknown[] {
  return (JSON.parse(request.body) as { TemplateParamSet: unknown[] }).TemplateParamSet
}
