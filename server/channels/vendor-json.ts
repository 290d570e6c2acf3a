import type * as z from 'zod'

/** The body where it is JSON of this shape, else null. */
export function readJson<T>(body: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(body))
  } catch {
    return null
  }
}
