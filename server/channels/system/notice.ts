/** A notification of the hub as PushServer documents it, and as a sheet of text. */
import { SYSTEM, wireName } from '../../protocol/address.ts'
import { notificationId, taskId } from '../../protocol/ids.ts'
import type { MessageFrame } from '../../protocol/packets.ts'
import { type Content, looks } from '../content.ts'
import { linkLines } from '../text/links.ts'
import { STRATEGIES } from '../reach.ts'

const MID = /^\d{13}$/
const PLATFORM = 'platform'
const USUAL = 'failover'
/** where nothing failed: somebody chose the platform `system` */
const CHOSEN = '系统通知存储'
/** what a terminal would obey, and what turns the direction of a line */
const COMMANDS = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu

/** The documented JSON, in its order of keys. */
export interface Notice {
  readonly id: string
  readonly title: string
  /** with a line for each link */
  readonly message: string
  readonly type: Content['level']
  readonly strategy: string
  readonly style: Content['style']
  readonly source: 'PushServer-SystemNotification'
  /** of the message concerned */
  readonly task_id: string
  readonly reason: string
  /** RFC 3339 */
  readonly created_at: string
  readonly status: 'unread'
}

/** What the hub itself writes to `system` says in `extra` which message it is about, and why (hub/alarm.ts). */
export function noticeOf(content: Content): Notice {
  const { frame, title, body, level, style, at } = content
  const { extra } = frame.message
  return {
    id: notificationId(frame.mid),
    title,
    message: (body + linkLines(content, () => true)).trimStart(),
    type: level,
    strategy: strategyOf(frame),
    style,
    source: 'PushServer-SystemNotification',
    task_id: wordOf(extra['task_id']) ?? taskId(aboutOf(frame), '2'),
    reason: wordOf(extra['reason']) ?? CHOSEN,
    created_at: timeOf(at),
    status: 'unread',
  }
}

/** For terminals and files: a rule, the icon of the level, every field, a rule. Nothing in it is obeyed by a terminal. */
export function sheetOf(content: Content): string {
  const { id, title, message, type, strategy, style, task_id, reason, created_at } = noticeOf(content)
  const fields = [
    ['标题 Title', title],
    ['内容 Message', message],
    ['类型 Type', type],
    ['接收者 Recipient', wordOf(content.frame.message.extra['recipient']) ?? content.recipient],
    ['原因 Reason', reason],
    ['策略 Strategy', strategy],
    ['样式 Style', style],
    ['任务 Task', task_id],
    ['编号 ID', id],
    ['时间 Time', created_at],
  ] as const
  const rule = '='.repeat(64)
  const head = `${looks[type].emoji} 系统通知 System notification`
  const lines = fields.map(([name, value]) => `${name}: ${harmless(value)}`)
  return `${[rule, head, '-'.repeat(64), ...lines, rule].join('\n')}\n`
}

/** A value of several lines is indented, so that it cannot pass for other fields. */
function harmless(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(COMMANDS, '')
    .replaceAll(/[\n\u2028\u2029]/g, '\n    ')
}

function isOfHub({ target }: MessageFrame): boolean {
  return target === wireName(SYSTEM)
}

function aboutOf(frame: MessageFrame): string {
  const about = wordOf(frame.message.extra['of'])
  return about !== null && isOfHub(frame) && MID.test(about) ? about : frame.mid
}

function strategyOf(frame: MessageFrame): string {
  const given = wordOf(frame.message.extra['strategy'])
  if (given?.startsWith(`${PLATFORM}:`)) return PLATFORM
  return STRATEGIES.find((known) => known === given) ?? (isOfHub(frame) ? USUAL : PLATFORM)
}

function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
