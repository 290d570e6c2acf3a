import { expect, test } from 'vitest'
import * as z from 'zod'
import { readJson } from '../../../server/channels/outbound/json.ts'

const schema = z.looseObject({ code: z.number() })

test('reads what has the shape, with all that is in it', () => {
  expect(readJson('{"code":0,"more":[1]}', schema)).toEqual({ code: 0, more: [1] })
})

test.each(['', 'ok', '{"code":', 'null', '[]', '{"code":"0"}'])('%j is nothing', (body) => {
  expect(readJson(body, schema)).toBeNull()
})
