/** What the PushServer API answers: `{code, message, data}`, the code being the HTTP status. */
import type { Context } from 'koa'
import type { ErrorName, Refusal } from '../../protocol/errors.ts'
import { answerJson, refusalHeaders } from '../door.ts'
import { PREFIX } from './paths.ts'

/** `message`, by HTTP status */
const MESSAGES: Readonly<Record<number, string>> = {
  400: '请求参数错误',
  401: '认证失败',
  403: '没有权限',
  404: '资源不存在',
  405: '请求方法不支持',
  413: '请求体过大',
  414: 'URL过长',
  415: '请求体类型不支持',
  422: '幂等键冲突',
  429: '请求过多',
  500: '服务器内部错误',
  503: '服务暂不可用',
  507: '存储空间不足',
}

/** `data.error`; a refusal that is not here brings its own words */
const ERRORS: Readonly<Partial<Record<ErrorName, string>>> = {
  'bad-name': 'recipient_alias不是有效的名称',
  'bad-json': '请求体不是有效的JSON',
  'too-deep': 'JSON嵌套超过32层',
  'forbidden-key': '不允许使用__proto__、constructor、prototype作为键',
  'token-in-url': 'token不能放在URL中，请使用authorization请求头',
  'need-token': '需要在authorization请求头中携带有效的token',
  'not-allowed': '没有权限执行该操作',
  'cors-off': '未开启跨域请求（http.cors）',
  'bad-method': '该接口不支持此请求方法',
  'too-large': '请求体超过大小限制（http.maxBody）',
  'url-too-long': 'URL超过长度限制（http.maxUrl）',
  'bad-content-type': 'Content-Type必须是application/json，且不能压缩',
  'idempotency-mismatch': '该幂等键已用于另一条消息',
  'inbox-full': '接收者等待中的消息已满，请稍后重试',
  'too-many-attempts': '该地址认证失败次数过多，请稍后重试',
  internal: '服务器内部错误',
  'store-busy': '队列已满，消息未被接收，请稍后重试',
  'queue-full': '推送队列已满，消息未被接收，请稍后重试',
  'store-failed': '存储故障，无法确定消息是否已被接收',
  stopping: '服务正在停止，消息未被接收',
  'store-full': '磁盘空间不足，消息未被接收',
}

/** Answers in the envelope. */
export function answer(ctx: Context, code: number, message: string, data: Readonly<Record<string, unknown>>): void {
  answerJson(ctx, code, { code, message, data })
}

/** Answers a refusal in the envelope. A push that fails by a fault says so as documented, `error` on top, too. */
export function refuse(ctx: Context, refusal: Refusal): void {
  refusalHeaders(ctx, refusal, 'GET, POST, PUT, DELETE, OPTIONS')
  const { status: code } = refusal
  const error = ERRORS[refusal.code] ?? refusal.message
  const message = MESSAGES[code] ?? '请求失败'
  const failedPush = code === 500 && ctx.path === `${PREFIX}/push`
  if (failedPush) answerJson(ctx, code, { code, message: '推送失败', error, data: { error } })
  else answer(ctx, code, message, { error })
}

/** RFC 3339 in UTC, to the second. @param at ms since epoch */
export function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
