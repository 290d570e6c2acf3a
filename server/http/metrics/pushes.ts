/** What comes in, and how far it gets. */
import type { ErrorName } from '../../protocol/errors.ts'
import { counter, gauge, histogram, listOf, type Metric, under } from './metric.ts'

const WITHOUT_CHANNEL = ['queued', 'failed', 'expired', 'removed']
const TROUBLES: readonly ErrorName[] = [
  'inbox-full',
  'too-many-attempts',
  'internal',
  'store-busy',
  'queue-full',
  'store-failed',
  'stopping',
  'store-full',
]

export const pushes: readonly Metric[] = [
  counter(
    'carillon_pushes_total',
    ['result'],
    [
      'Well-formed pushes that were answered: accepted and durable, repeated (an idempotency key came again), or nobody (no such recipient, an empty group)',
      '已应答的合法推送：accepted 已受理并落盘，repeated 幂等键重复，nobody 接收者不存在或分组为空',
    ],
    ({ hub }) => Object.entries(hub.meters.pushes).map(([result, count]) => [[result], count]),
  ),
  counter(
    'carillon_pushes_refused_total',
    ['code'],
    ['Well-formed pushes that were refused, by the name of the refusal', '被拒绝的合法推送，按拒绝原因统计'],
    ({ hub }) => listOf(hub.meters.refusedPushes, TROUBLES),
  ),
  counter(
    'carillon_refusals_total',
    ['door', 'code'],
    [
      'Requests and packets that were refused at a door, refused pushes among them; code internal is a fault of the hub',
      '各入口拒绝的请求和数据包（包含被拒绝的推送）；code 为 internal 表示服务自身出错',
    ],
    ({ hub }) => Object.entries(hub.meters.refusals).flatMap(([door, counts]) => under(door, listOf(counts, TROUBLES))),
  ),
]

export const deliveries: readonly Metric[] = [
  counter(
    'carillon_deliveries_total',
    ['channel', 'state'],
    [
      'Deliveries that got to a state, by the channel they came by (websocket: live sessions; none: no channel); state failed are dead letters and messages that found an inbox full',
      '到达各状态的投递数，按渠道统计（websocket 为在线会话，none 为无渠道）；state 为 failed 的即死信和因收件箱已满而失败的消息',
    ],
    ({ figures }) => {
      const counts = new Map(WITHOUT_CHANNEL.map((state) => [`none ${state}`, 0]))
      for (const { state, via, count } of figures.reached) counts.set(`${via ?? 'none'} ${state}`, count)
      return [...counts].map(([key, count]) => [key.split(' '), count])
    },
  ),
  gauge(
    'carillon_inbox_deliveries',
    [],
    ['Deliveries that wait for a session of their recipient, or for its ack', '等待接收者上线或确认的投递数'],
    ({ figures }) => figures.open.count,
  ),
  gauge(
    'carillon_inbox_bytes',
    [],
    ['Size of their messages, as inbox.maxBytes counts it', '上述投递的消息大小（与 inbox.maxBytes 的计算方式相同）'],
    ({ figures }) => figures.open.bytes,
  ),
  counter(
    'carillon_frames_sent_total',
    [],
    ['MESSAGE frames sent to sessions for the first time', '首次发往会话的 MESSAGE 帧'],
    ({ hub }) => hub.meters.frames.first,
  ),
  counter(
    'carillon_frames_resent_total',
    [],
    ['MESSAGE frames sent again because no ack came', '因未收到确认而重发的 MESSAGE 帧'],
    ({ hub }) => hub.meters.frames.again,
  ),
  histogram(
    'carillon_ack_latency_seconds',
    [],
    ["Time from a frame's first leaving to its ack, on live sessions", '在线会话从首次发出到收到确认的时间'],
    ({ hub }) => hub.meters.acks,
  ),
]
