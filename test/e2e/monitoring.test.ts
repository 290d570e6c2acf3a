/** The built program after some traffic: what it tells Prometheus, and that dashboard and alerts ask for nothing else. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { metrics } from '../../server/http/metrics/table.ts'
import { connect } from '../helpers/client.ts'
import { type Exposition, nameOf, parseExposition } from '../helpers/exposition.ts'
import { temporaryFolder } from '../helpers/folder.ts'
import { type HubProcess, startProcess } from '../helpers/process.ts'
import { startReceiver } from '../helpers/receiver.ts'

const deploy = join(import.meta.dirname, '../../config/deploy')
const TOKEN = 'a-token-of-16-characters-or-more'
const headers = { authorization: `Bearer ${TOKEN}` }
const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const PARTS = /_(bucket|sum|count)$/

const panelSchema = z.object({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ expr: z.string() })).default([]),
})
const dashboardSchema = z.object({ panels: z.array(panelSchema) })
const rulesSchema = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) })) })

const dashboardText = readFileSync(join(deploy, 'grafana-dashboard.json'), 'utf8')
const { panels } = dashboardSchema.parse(JSON.parse(dashboardText))
const { groups } = rulesSchema.parse(parse(readFileSync(join(deploy, 'alerts.yml'), 'utf8')))
const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
const rules = groups.flatMap((group) => group.rules.map(({ expr }) => expr))

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let hub: HubProcess
let text = ''
let exposed: Exposition
beforeAll(async () => {
  folder = await temporaryFolder()
  const vendor = await startReceiver((response) => response.end('ok'))
  const config = {
    token: TOKEN,
    http: { host: '127.0.0.1', port: 0, verifyToken: true },
    recipients: { room: { name: 'Room', platforms: { slack: { webhooks: [{ url: vendor.url, name: 'room' }] } } } },
  }
  writeFileSync(join(folder.dir, 'config.yaml'), stringify(config), { mode: 0o600 })
  hub = await startProcess([], {}, folder.dir)
  await traffic(hub)
  await vendor.close()
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

/** A push to a session, one to a robot, one to nobody, one without a token; and scrapes until all of it is told. */
async function traffic({ url }: HubProcess): Promise<void> {
  const client = await connect(url.replace('http', 'ws'))
  client.send('AUTH', { token: TOKEN, name: 'bob' })
  await client.next('AUTH')
  const answer = fetch(`${url}/bob.send?text=a`, { headers })
  client.ack((await client.message()).mid)
  await answer
  for (const path of ['room.send?text=a', 'nobody.send?text=a']) await fetch(`${url}/${path}`, { headers })
  await fetch(`${url}/bob.send?text=a`)
  do {
    await pause(20)
    text = await (await fetch(`${url}/metrics`, { headers })).text()
    exposed = parseExposition(text)
  } while ((exposed.samples.get('carillon_event_loop_delay_seconds_count') ?? 0) === 0)
  client.socket.terminate()
}

test.each([
  ['carillon_pushes_total{result="accepted"}', 2],
  ['carillon_pushes_total{result="nobody"}', 1],
  ['carillon_refusals_total{door="http",code="need-token"}', 1],
  ['carillon_deliveries_total{channel="websocket",state="delivered"}', 1],
  ['carillon_deliveries_total{channel="slack",state="accepted"}', 1],
  ['carillon_ack_latency_seconds_count', 1],
  ['carillon_sessions', 1],
  ['carillon_attempts_total{channel="slack",outcome="accepted"}', 1],
  ['carillon_ready', 1],
  ['carillon_store_durable', 1],
  ['carillon_kept_messages', 2],
])('%s is %d', (key, value) => {
  expect(exposed.samples.get(key)).toBe(value)
})

test.each([
  'carillon_journal_sync_seconds_count',
  'carillon_journal_sync_seconds_sum',
  'carillon_journal_batch_writes_count',
  'carillon_journal_bytes',
  'carillon_kept_bytes',
  'carillon_disk_free_bytes',
  'carillon_disk_size_bytes',
  'carillon_attempt_duration_seconds_sum{channel="slack"}',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
])('%s is more than nothing', (key) => {
  expect(exposed.samples.get(key)).toBeGreaterThan(0)
})

test('every metric has a sample by now', () => {
  const names = new Set([...exposed.samples.keys()].map((key) => nameOf(key).replace(PARTS, '')))
  expect(metrics.map(({ name }) => name).filter((name) => !names.has(name.replace(PARTS, '')))).toEqual([])
})

test('the process began when it did', () => {
  const started = exposed.samples.get('process_start_time_seconds') ?? 0
  expect(Math.abs(Date.now() / 1_000 - started)).toBeLessThan(300)
})

test('probes need no token', async () => {
  for (const path of ['/live', '/ready', '/health']) expect((await fetch(hub.url + path)).status).toBe(200)
})

/** Names of metrics in a query. */
function namesIn(query: string): string[] {
  return [...query.matchAll(/\b(?:carillon|process|nodejs)_\w+/g)].map(([name]) => name)
}

describe('dashboard and alerts', () => {
  test('ask for nothing that is not exposed', () => {
    const names = new Set([...exposed.samples.keys()].map(nameOf))
    const asked = [...queries, ...rules, dashboardText].flatMap(namesIn)
    expect(asked.length).toBeGreaterThan(100)
    expect([...new Set(asked)].filter((name) => !names.has(name))).toEqual([])
  })

  test('the dashboard shows everything that is counted', () => {
    const asked = new Set(queries.flatMap(namesIn).map((name) => name.replace(PARTS, '')))
    const elsewhere = ['process_cpu_seconds_total', 'process_start_time_seconds']
    const unseen = metrics.map(({ name }) => name).filter((name) => !asked.has(name.replace(PARTS, '')))
    expect(unseen).toEqual(elsewhere.toSorted())
  })

  test('panels have ids of their own, two languages, and do not lie on each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    expect(panels.filter(({ title }) => !/^.+ · .+$/.test(title))).toEqual([])
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
  })
})

describe.skipIf(!hasPromtool)(hasPromtool ? 'promtool' : 'promtool (not installed: Debian package prometheus)', () => {
  test('finds nothing wrong with the exposition', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' })
  })

  test('each query of the dashboard finds something in it', () => {
    const series = [...exposed.samples].map(([key, value]) => {
      const [name = '', own = ''] = key.split(/[{}]/)
      const labels = `job="carillon", instance="a"${own === '' ? '' : `, ${own}`}`
      return { series: `${name}{${labels}}`, values: `${value}x40` }
    })
    const all = queries.map((query) =>
      query.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'carillon').replaceAll('$instance', '.*'),
    )
    // a hub that is well has no faults to show
    const filled = all.map((query) => query.replace(/ > 0$/, ' >= 0'))
    const tests = [
      {
        interval: '15s',
        input_series: series,
        promql_expr_test: filled.map((query) => ({
          expr: `count(${query}) > bool 0`,
          eval_time: '9m',
          exp_samples: [{ labels: '{}', value: 1 }],
        })),
      },
    ]
    const file = join(folder.dir, 'dashboard.test.yml')
    writeFileSync(file, stringify({ evaluation_interval: '15s', tests }))
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' })
  })
})
