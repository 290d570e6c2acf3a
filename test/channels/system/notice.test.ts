import { describe, expect, test } from 'vitest'
import { noticeOf, sheetOf } from '../../../server/channels/system/notice.ts'
import { midOfNotification, midOfTask } from '../../../server/protocol/ids.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel.ts'

const AT = Date.parse('2025-08-04T09:07:48.666Z')
const ABOUT = '1754298460000'

/** What the hub writes to `system` about a message that nothing could deliver. */
function alarm(extra: Record<string, unknown> = {}) {
  const content = contentOf(
    { title: '数据库告警', body: '连接数超过阈值', level: 'error', style: 'card', at: AT, recipient: 'system' },
    { type: 'error', strategy: 'all', reason: '所有推送渠道都失败', recipient: 'ops_alert', of: ABOUT, ...extra },
  )
  return { ...content, frame: { ...content.frame, target: 'system' } }
}

test('the documented JSON', () => {
  const notice = noticeOf(alarm())
  expect(Object.keys(notice)).toEqual(
    'id title message type strategy style source task_id reason created_at status'.split(' '),
  )
  expect(notice).toEqual({
    id: expect.stringMatching(/^notify_\d{14}_\d{6}$/),
    title: '数据库告警',
    message: '连接数超过阈值',
    type: 'error',
    strategy: 'all',
    style: 'card',
    source: 'PushServer-SystemNotification',
    task_id: expect.stringMatching(/^task_\d{8}_\d{6}_[0-9a-z]{6}$/),
    reason: '所有推送渠道都失败',
    created_at: '2025-08-04T09:07:48Z',
    status: 'unread',
  })
})

test('its ids lead to the notification and to the message that it is about', () => {
  const content = alarm()
  expect(midOfNotification(noticeOf(content).id)).toBe(content.frame.mid)
  expect(midOfTask(noticeOf(content).task_id)).toBe(ABOUT)
  expect(noticeOf(alarm({ task_id: 'f029b7c4' })).task_id).toBe('f029b7c4')
  for (const of of ['no mid', '', 7, undefined]) {
    expect(midOfTask(noticeOf(alarm({ of })).task_id)).toBe(content.frame.mid)
  }
})

describe('a message to the platform system', () => {
  const chosen = contentOf({ title: 'T', body: 'B', at: AT })

  test('is about itself and has no failure behind it', () => {
    const notice = noticeOf(chosen)
    expect(notice).toMatchObject({ strategy: 'platform', reason: '系统通知存储', type: 'info' })
    expect(midOfTask(notice.task_id)).toBe(chosen.frame.mid)
  })

  test('is not taken for what the hub writes, whatever its sender adds', () => {
    const content = contentOf({ at: AT }, { of: ABOUT })
    expect(midOfTask(noticeOf(content).task_id)).toBe(content.frame.mid)
  })
})

test.each([
  ['all', 'all'],
  ['platform:feishu', 'platform'],
  ['', 'failover'],
  [undefined, 'failover'],
])('the strategy %j is shown as %s', (strategy, expected) => {
  expect(noticeOf(alarm({ strategy })).strategy).toBe(expected)
})

test('links are lines of the text', () => {
  const { message } = noticeOf(contentOf({ body: 'B', link: LINK, confirmUrl: CONFIRM_URL }))
  expect(message).toBe(`B\n查看详情 Details: ${LINK}\n确认收到 Confirm: ${CONFIRM_URL}`)
  expect(noticeOf(contentOf({ body: '', link: LINK })).message).toBe(`查看详情 Details: ${LINK}`)
})

describe('the sheet', () => {
  test('stands between rules, with its icon and every field', () => {
    const lines = sheetOf(alarm()).split('\n')
    expect(lines[0]).toMatch(/^=+$/)
    expect(lines[1]).toBe('🔴 系统通知 System notification')
    expect(lines.slice(-2)).toEqual([lines[0], ''])
    const { id, task_id } = noticeOf(alarm())
    expect(lines.slice(3, -2)).toEqual([
      '标题 Title: 数据库告警',
      '内容 Message: 连接数超过阈值',
      '类型 Type: error',
      '接收者 Recipient: ops_alert',
      '原因 Reason: 所有推送渠道都失败',
      '策略 Strategy: all',
      '样式 Style: card',
      `任务 Task: ${task_id}`,
      `编号 ID: ${id}`,
      '时间 Time: 2025-08-04T09:07:48Z',
    ])
  })

  test.each([
    ['info', 'ℹ️'],
    ['warning', '⚠️'],
    ['success', '✅'],
  ] as const)('%s has the icon %s', (level, icon) => {
    expect(sheetOf(contentOf({ level }))).toContain(`\n${icon} `)
  })

  test('no text commands the terminal or passes for a field', () => {
    const sheet = sheetOf(
      contentOf({ title: '\u001b[2J\u009b1mT\u202e\r\n原因 Reason: forged', body: 'a\r\tb\u2028c\u0000' }),
    )
    expect(sheet).toContain('标题 Title: [2J1mT\n    原因 Reason: forged\n')
    expect(sheet).toContain('内容 Message: a\tb\n    c\n')
    expect(sheet).not.toMatch(/(?![\n\t])\p{Cc}/u)
  })

  test('characters of several parts stay whole', () => {
    expect(sheetOf(contentOf({ title: '👨‍👩‍👧‍👦' }))).toContain('👨‍👩‍👧‍👦')
  })
})
