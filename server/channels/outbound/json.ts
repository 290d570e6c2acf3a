/** JSON to vendors and back. */
import type * as z from 'zod'
import type { Outbound, OutboundAnswer } from './outbound.ts'

/** Posts to an address of the config. @param body JSON */
export function postJson(
  http: Outbound,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OutboundAnswer> {
  return http.request({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body,
    trusted: true,
  })
}

/** The body where it is JSON of this shape, else null. */
export function readJson<T>(body: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(body))
  } catch {
    return null
  }
}
