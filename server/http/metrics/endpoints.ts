/** What goes out through endpoints. */
import { type ChannelMeters, OUTCOMES } from '../../hub/meters.ts'
import { counter, gauge, histogram, listOf, type Metric, type Reading, type Sample, under } from './metric.ts'

export const endpoints: readonly Metric[] = [
  counter(
    'carillon_attempts_total',
    ['channel', 'outcome'],
    [
      'Attempts on endpoints that ended, by outcome; rests: not made, as the endpoint failed too often',
      '已结束的外发尝试，按结果统计；rests 表示该地址连续失败，暂停尝试',
    ],
    ({ hub }) =>
      [...hub.meters.channels].flatMap(([channel, { outcomes }]) => under(channel, listOf(outcomes, OUTCOMES))),
  ),
  histogram(
    'carillon_attempt_duration_seconds',
    ['channel'],
    ['Time that attempts took from the call to the answer', '外发尝试从调用到应答的时间'],
    (now) => channelsOf(now, ({ seconds }) => seconds),
  ),
  gauge('carillon_attempts_in_flight', ['channel'], ['Attempts under way', '正在进行的外发尝试数'], (now) =>
    channelsOf(now, ({ sending }) => sending),
  ),
  gauge(
    'carillon_attempts_waiting',
    ['channel'],
    ['Attempts that wait for a worker or a place of their channel', '等待工作线程或渠道名额的外发尝试数'],
    (now) => channelsOf(now, ({ waiting }) => waiting),
  ),
  gauge(
    'carillon_queue_deliveries',
    [],
    ['Deliveries through endpoints that are worked on or wait for it', '正在处理或等待处理的外发投递数'],
    ({ hub }) => hub.queue.size,
  ),
  gauge(
    'carillon_queue_room',
    [],
    [
      'How many of them there may be (queue.buffer_size); beyond it pushes to endpoints are refused',
      '上述投递数的上限（queue.buffer_size），超过后拒绝外发推送',
    ],
    ({ hub }) => hub.queue.room,
  ),
  gauge(
    'carillon_queue_wait_seconds',
    [],
    ['How long the one that waits longest has waited for its turn', '等待最久的外发投递已等待的时间'],
    ({ waited }) => waited / 1_000,
  ),
  gauge(
    'carillon_scheduled_deliveries',
    [],
    [
      'Deliveries that something is still to be done for: an attempt, a retry, the next step, their expiry',
      '仍有后续动作的投递数：尝试、重试、下一步或过期',
    ],
    ({ figures }) => figures.scheduled,
  ),
]

function channelsOf<T>({ hub }: Reading, read: (meters: ChannelMeters) => T): readonly Sample<T>[] {
  return [...hub.meters.channels].map(([channel, meters]) => [[channel], read(meters)])
}
