/** The pages for who looks for a cause: none of the hub's refusals and close codes may be missing there. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { closeCodes, errors } from '../../server/protocol/errors.ts'

for (const page of ['troubleshooting.md', 'troubleshooting.zh-CN.md']) {
  const lines = readFileSync(join(import.meta.dirname, '../../config/deploy', page), 'utf8').split('\n')

  test(`${page} tells of every refusal, with its status`, () => {
    const missing = Object.entries(errors).filter(
      ([name, { status }]) => !lines.some((line) => line.includes(`\`${name}\``) && line.includes(String(status))),
    )
    expect(missing).toEqual([])
  })

  test(`${page} tells of every close code`, () => {
    const missing = Object.entries(closeCodes).filter(([, code]) => !lines.some((line) => line.includes(`\`${code}\``)))
    expect(missing).toEqual([])
  })
}
