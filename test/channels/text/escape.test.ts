import { expect, test } from 'vitest'
import { escaped } from '../../../server/channels/text/escape.ts'

test('neither an element nor an attribute can be left or begun', () => {
  expect(escaped(`"'<b>&amp;`)).toBe(`&quot;'&lt;b&gt;&amp;amp;`)
})

test('all else is left as it is', () => {
  expect(escaped("磁盘 'full' \\ {}")).toBe("磁盘 'full' \\ {}")
})
