import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createLog, type LogLevel } from '../../server/ground/log.ts'

/** A log and the lines it wrote. */
function logged(level: LogLevel = 'info') {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  return { log: createLog(level, stream), lines }
}

test('writes JSON lines with the level as a word and the time in RFC 3339', () => {
  const { log, lines } = logged()
  log.warn({ mid: '1800000000000' }, '消息推送失败')
  const line: Record<string, unknown> = JSON.parse(lines[0] ?? '')
  expect(line).toMatchObject({ level: 'warn', mid: '1800000000000', msg: '消息推送失败' })
  expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(Object.keys(line).toSorted()).toEqual(['level', 'mid', 'msg', 'time'])
})

test('cuts secrets by their name, at the top and one level down', () => {
  const { log, lines } = logged()
  const secrets = { authorization: 'S3CRET', token: 'S3CRET', password: 'S3CRET', auth: 'S3CRET', p256dh: 'S3CRET' }
  log.error({ ...secrets, endpoint: { ...secrets, url: 'https://S3CRET', secret: 'S3CRET' } }, 'with secrets')
  expect(lines[0]).not.toContain('S3CRET')
  expect(lines[0]).toContain('[secret]')
})

test('keeps one line one line, whatever is in it', () => {
  const { log, lines } = logged()
  log.info({ name: 'a\n[ERROR] forged\u001b[2J' }, 'line\nbreak')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.trimEnd()).not.toContain('\n')
  expect(lines[0]).not.toContain('\u001b')
})

test('says nothing below its level', () => {
  const { log, lines } = logged('error')
  log.warn('quiet')
  log.error('loud')
  expect(lines).toHaveLength(1)
})
