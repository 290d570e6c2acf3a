/** What goes out through endpoints moves its own metrics, and no other. */
import { beforeEach, describe, expect, test } from 'vitest'
import { accepted, type MetricsHub, reached, startMetricsHub, waiting } from '../helpers/metrics.ts'
import { type Answer, type Receiver, startReceiver, status } from '../helpers/receiver.ts'

const PAUSE_S = 60
/** what Slack and webhooks alike take for yes */
const ok: Answer = (response) => response.end('ok')

let vendor: Receiver
let hub: MetricsHub
beforeEach(async () => {
  vendor = await startReceiver(ok)
  const slack = { webhooks: [{ url: vendor.url, name: 'room' }] }
  hub = await startMetricsHub({
    config: {
      queue: { max_concurrent_per_platform: 1, retry_count: 1, retry_delay: PAUSE_S, buffer_size: 2 },
      recipients: {
        ops: { name: 'Ops', platforms: { webhook: { webhooks: [{ url: vendor.url, name: 'jobs' }] } } },
        room: { name: 'Room', platforms: { slack } },
        hall: { name: 'Hall', platforms: { slack: { webhooks: [{ url: `${vendor.url}/hall`, name: 'hall' }] } } },
      },
    },
  })
  return () => vendor.close()
})

const taken = { ...accepted, ...reached('queued') }
const attempted = (channel: string, outcome: string) => ({
  [`carillon_attempts_total{channel="${channel}",outcome="${outcome}"}`]: 1,
  [`carillon_attempt_duration_seconds_count{channel="${channel}"}`]: 1,
})

describe('attempts', () => {
  test.each([
    ['ops', 'webhook', 'delivered'],
    ['room', 'slack', 'accepted'],
  ])('one that goes well: %s', async (name, channel, outcome) => {
    await hub.moves(() => hub.task(name), {
      ...taken,
      ...attempted(channel, outcome),
      ...reached('sent', channel),
      ...reached(outcome, channel),
    })
  })

  test('one that never will: a dead letter, and the notification about it', async () => {
    vendor.answer = status(410)
    await hub.moves(() => hub.task('ops'), {
      ...accepted,
      ...reached('queued', 'none', 2),
      ...attempted('webhook', 'failed'),
      ...reached('sent', 'webhook'),
      ...reached('failed'),
      // the notification goes to the log, and waits for whoever reads it until it expires
      ...attempted('system', 'accepted'),
      ...reached('sent', 'system'),
      ...reached('accepted', 'system'),
      ...waiting(1),
      carillon_scheduled_deliveries: 1,
    })
  })

  test('one that is tried again later', async () => {
    vendor.answer = status(500)
    await hub.moves(() => hub.task('room'), {
      ...taken,
      ...attempted('slack', 'retry'),
      ...reached('sent', 'slack'),
      ...waiting(1),
      carillon_scheduled_deliveries: 1,
    })
    vendor.answer = ok
    // step by step: a call takes real time, and would be given up in a leap
    const soon = async () => {
      while (vendor.requests.length < 2) {
        await hub.clock.advance(1_000)
        await hub.scrape()
      }
    }
    await hub.moves(soon, {
      ...attempted('slack', 'accepted'),
      ...reached('accepted', 'slack'),
      ...waiting(-1),
      carillon_scheduled_deliveries: -1,
    })
  })

  test('an endpoint that failed too often rests: that is no attempt, and took no time', async () => {
    vendor.answer = status(500)
    // one a second is what Slack allows
    const next = () => hub.clock.advance(1_000).then(() => hub.task('room'))
    for (let count = 0; count < 5; count += 1) {
      await hub.moves(next, expect.objectContaining(attempted('slack', 'retry')))
    }
    await hub.moves(next, {
      ...taken,
      ...waiting(1),
      carillon_scheduled_deliveries: 1,
      'carillon_attempts_total{channel="slack",outcome="rests"}': 1,
    })
  })
})

test('attempts under way and attempts that wait, and how long they have', async () => {
  let answer = () => {}
  vendor.answer = (response) => void (answer = () => response.end('ok'))
  const outstanding = { ...taken, ...waiting(1), carillon_scheduled_deliveries: 1, carillon_queue_deliveries: 1 }
  await hub.moves(() => hub.task('room'), {
    ...outstanding,
    ...reached('sent', 'slack'),
    'carillon_attempts_in_flight{channel="slack"}': 1,
  })
  await hub.moves(() => hub.task('hall'), { ...outstanding, 'carillon_attempts_waiting{channel="slack"}': 1 })
  await hub.moves(() => hub.clock.advance(3_000), { carillon_queue_wait_seconds: 3 })

  await vendor.received(1)
  await hub.moves(() => answer(), {
    ...attempted('slack', 'accepted'),
    ...reached('accepted', 'slack'),
    ...reached('sent', 'slack'),
    ...waiting(-1),
    carillon_scheduled_deliveries: -1,
    carillon_queue_deliveries: -1,
    carillon_queue_wait_seconds: -3,
    'carillon_attempts_waiting{channel="slack"}': -1,
  })
  await vendor.received(2)
  answer()
})

test('a queue that is full: the push is refused, by name', async () => {
  vendor.answer = () => {}
  await hub.task('room')
  await hub.task('hall')
  expect((await hub.scrape()).samples.get('carillon_queue_room')).toBe(2)
  await hub.moves(() => hub.task('room'), {
    'carillon_pushes_refused_total{code="queue-full"}': 1,
    'carillon_refusals_total{door="http",code="queue-full"}': 1,
  })
})
