/** How WeCom answers: HTTP 200 with `{errcode, errmsg, …}`, whatever happened. */
import * as z from 'zod'
import type { Passing, Said } from '../outbound/outcomes.ts'
import { readJson } from '../outbound/json.ts'

const MINUTE_MS = 60_000

/**
 * Codes that pass: https://developer.work.weixin.qq.com/document/path/90313. Busy, two writers at once,
 * too often, too many at once.
 */
export const passing: Passing = new Map([
  ['-1', 0],
  ['6000', 0],
  ['45009', MINUTE_MS],
  ['45033', MINUTE_MS],
])

const answerSchema = z.looseObject({
  errcode: z.union([z.int(), z.string().regex(/^-?\d+$/)]).transform(String),
  errmsg: z.string().catch(''),
})
type WecomAnswer = z.infer<typeof answerSchema>

/** null: these are not its words. `errcode` `0` is success. */
export function readWecom(body: string): WecomAnswer | null {
  return readJson(body, answerSchema)
}

export function saidBy(answer: WecomAnswer | null): Said | null {
  return answer && { code: answer.errcode, text: answer.errmsg }
}
