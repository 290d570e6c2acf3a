import { describe, expect, test } from 'vitest'
import { platformSchema, sectionSchema } from '../../../server/channels/system/config.ts'
import { configFolder } from '../../helpers/config.ts'

describe('as PushServer has it', () => {
  test('the platform of its second version', () => {
    const { notifications } = platformSchema.parse({
      enabled: true,
      notifications: [
        { type: 'console', name: '控制台通知', enabled: true },
        { type: 'file', name: '文件通知', enabled: true, path: 'notifications/' },
        { type: 'syslog', name: '系统日志', enabled: false },
        {
          type: 'http',
          name: 'HTTP通知',
          enabled: true,
          url: 'http://localhost:9090/webhook/system-notify',
          timeout: 10,
          headers: { Authorization: 'Bearer your-token', 'Content-Type': 'application/json' },
        },
      ],
    })
    expect(notifications.map(({ type, enabled }) => [type, enabled])).toEqual([
      ['console', true],
      ['file', true],
      ['syslog', false],
      ['http', true],
    ])
  })

  test('the section of its first version, where http may have no url', () => {
    const { enabled, notifications } = sectionSchema.parse({
      notifications: [{ type: 'console' }, { type: 'file', name: '文件通知' }, { type: 'http', name: 'HTTP通知' }],
    })
    expect(enabled).toBe(true)
    expect(notifications).toHaveLength(3)
  })
})

test.each([
  ['{type: mail}', 'notifications[0].type: expected one of "console"|"file"|"syslog"|"http"'],
  ['{type: console, path: x}', 'notifications[0].path: is for type file only'],
  ['{type: file, url: "http://h/"}', 'notifications[0].url: is for type http only'],
  ['{type: syslog, headers: {a: b}}', 'notifications[0].headers: is for type http only'],
  ['{type: console, timeout: 1}', 'notifications[0].timeout: is for type http only'],
  ['{type: http, url: "http://u:p@h/"}', 'notifications[0].url: credentials belong into headers'],
  ['{type: http, url: "ftp://h/"}', 'notifications[0].url: Invalid URL'],
  ['{type: http, headers: {"a b": c}}', 'notifications[0].headers'],
  ['{type: http, headers: {a: "b\\r\\nc: d"}}', 'notifications[0].headers.a'],
  ['{type: http, pth: x}', 'notifications[0].pth: there is no such key'],
])('%s', async (entry, expected) => {
  const { file, mistakes } = configFolder()
  file('config.yaml', `system: {notifications: [${entry}]}`)
  const [first, ...others] = await mistakes()
  expect(first).toContain(`system.${expected}`)
  expect(others).toEqual([])
})
