import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { midOfNotification, midOfTask, notificationId, taskId } from '../../server/protocol/ids.ts'

const MID = '1754298468123'
const mids = fc.integer({ min: 0, max: 9_999_999_999_999 }).map((n) => String(n).padStart(13, '0'))
const forms = [
  ['task', (mid: string) => taskId(mid, '2'), midOfTask],
  ['UUID', (mid: string) => taskId(mid, '1'), midOfTask],
  ['notification', notificationId, midOfNotification],
] as const

test('they look as documented, and their time is UTC', () => {
  expect(taskId(MID, '2')).toMatch(/^task_20250804_090748_[0-9a-z]{6}$/)
  expect(notificationId(MID)).toMatch(/^notify_20250804090748_123\d{3}$/)
  const uuid = taskId(MID, '1')
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(Number(MID))
})

test('they stay what they are: senders keep them over updates of the hub', () => {
  expect([taskId(MID, '2'), taskId(MID, '1'), notificationId(MID)]).toMatchInlineSnapshot(`
    [
      "task_20250804_090748_4g5a68",
      "01987456-471b-8013-9a54-86c863a0dbbe",
      "notify_20250804090748_123325",
    ]
  `)
})

describe.each(forms)('the id of a %s', (_, idOf, midOf) => {
  test('is read back, whatever the mid', () => {
    fc.assert(
      fc.property(mids, (mid) => midOf(idOf(mid)) === mid),
      { seed: 51, numRuns: 2_000 },
    )
  })

  test('differs for mids that follow each other', () => {
    const start = Number(MID)
    const ids = Array.from({ length: 5_000 }, (_, n) => idOf(String(start + n)))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test.each(['', 'task_', 'x', MID, 'notify_99999999999999_999999', 'task_99999999_999999_zzzzzz'])(
    'is not %j',
    (text) => {
      expect(midOf(text)).toBeNull()
    },
  )

  test('means nothing with something around it', () => {
    for (const text of [` ${idOf(MID)}`, `${idOf(MID)} `, `${idOf(MID)}\n`, `x${idOf(MID)}`])
      expect(midOf(text)).toBeNull()
  })
})

test('a mistyped task id means nothing', () => {
  const missed = [taskId(MID, '2'), taskId(MID, '1')].flatMap((id) =>
    [...id].flatMap((old, at) =>
      [...'0123456789abcdefz'].filter((key) => key !== old).map((key) => id.slice(0, at) + key + id.slice(at + 1)),
    ),
  )
  expect(missed.length).toBeGreaterThan(800)
  expect(missed.filter((id) => midOfTask(id) !== null)).toEqual([])
})

test('a mistyped id of a notification hardly ever means another', () => {
  const id = notificationId(MID)
  const missed = [...id].flatMap((old, at) =>
    [...'0123456789'].filter((key) => key !== old).map((key) => id.slice(0, at) + key + id.slice(at + 1)),
  )
  expect(missed.filter((other) => midOfNotification(other) !== null).length).toBeLessThanOrEqual(2)
})

test('a UUID is read in either case, a task id only as it was given', () => {
  expect(midOfTask(taskId(MID, '1').toUpperCase())).toBe(MID)
  expect(midOfTask(taskId(MID, '2').toUpperCase())).toBeNull()
})
