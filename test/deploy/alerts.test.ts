/** The alert rules fire when they should, and only then: in Prometheus's own engine, over made-up series. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { configFolder } from '../helpers/config.ts'

const rulesFile = join(import.meta.dirname, '../../config/deploy/alerts.yml')
const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const HUB = 'job="carillon", instance="a"'

const ruleSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({
    summary: z.string().regex(/^[^\p{Script=Han}]+$/u),
    description: z.string().regex(/^[^\p{Script=Han}]+$/u),
    summary_zh: z.string().regex(/\p{Script=Han}/u),
    description_zh: z.string().regex(/\p{Script=Han}/u),
  }),
})
const rulesSchema = z.strictObject({
  groups: z.tuple([z.strictObject({ name: z.string(), rules: z.array(ruleSchema) })]),
})
const [{ rules }] = rulesSchema.parse(parse(readFileSync(rulesFile, 'utf8'))).groups

/** Series by name and own labels, a value each minute: `0+5x60` is 0, 5, 10 …; `_` is none. */
type Series = Readonly<Record<string, string>>

interface Case {
  readonly fires: Series
  /** when it fires, and not yet a minute before */
  readonly at: number
  /** its own labels, beside severity */
  readonly labels?: Readonly<Record<string, string>>
  /** series under which it stays quiet, however long */
  readonly quiet: readonly Series[]
}

const le = (name: string, counts: Readonly<Record<string, string>>): Series =>
  Object.fromEntries(Object.entries(counts).map(([bound, values]) => [`${name}_bucket{le="${bound}"}`, values]))
const refusals = (code: string, values: string): Series => ({
  [`carillon_refusals_total{door="http", code="${code}"}`]: values,
})
const attempts = (good: string, bad: string): Series => ({
  'carillon_attempts_total{channel="slack", outcome="accepted"}': good,
  'carillon_attempts_total{channel="slack", outcome="retry"}': bad,
  'carillon_attempts_total{channel="email", outcome="accepted"}': '0+9x120',
})
const failed = (values: string): Series => ({ 'carillon_deliveries_total{channel="none", state="failed"}': values })
const disk = (free: string, size: string): Series => ({
  carillon_disk_free_bytes: free,
  carillon_disk_size_bytes: size,
})

const cases: Readonly<Record<string, Case>> = {
  CarillonDown: { fires: { up: '1x9 0x60' }, at: 11, quiet: [{ up: '1x120' }, { up: '1x9 0 1x60' }] },
  CarillonNotReady: {
    fires: { 'carillon_fault{fault="disk-low"}': '0x9 1x60', 'carillon_fault{fault="stopping"}': '0x120' },
    at: 11,
    labels: { fault: 'disk-low' },
    quiet: [{ 'carillon_fault{fault="disk-low"}': '0x120' }],
  },
  CarillonPushesRefused: {
    fires: { 'carillon_pushes_refused_total{code="queue-full"}': '0x9 1+5x60' },
    at: 15,
    labels: { code: 'queue-full' },
    quiet: [
      { 'carillon_pushes_refused_total{code="not-allowed"}': '0+5x120' },
      { 'carillon_pushes_refused_total{code="store-full"}': '7x120' },
    ],
  },
  CarillonFault: {
    fires: refusals('internal', '0x9 1x60'),
    at: 10,
    quiet: [refusals('bad-json', '0+5x120'), refusals('internal', '5x120')],
  },
  CarillonRestarts: {
    fires: { process_start_time_seconds: '1x9 2 3 4x60' },
    at: 12,
    quiet: [{ process_start_time_seconds: '1x9 2 3x60' }],
  },
  CarillonDiskLow: {
    fires: disk('9e9x9 4e9x60', '100e9x120'),
    at: 15,
    quiet: [disk('9e9x120', '100e9x120'), disk('2e9x120', '10e9x120')],
  },
  CarillonDiskFillsUp: {
    fires: disk('100e9x30 100e9-1e8x400', '200e9x500'),
    at: 141,
    quiet: [disk('100e9-1e6x500', '200e9x500')],
  },
  CarillonDeadLetters: { fires: failed('0x9 1x60'), at: 10, quiet: [failed('4x120')] },
  CarillonChannelFailing: {
    fires: attempts('0+1x9 9x60', '0x9 0+2x60'),
    at: 19,
    labels: { channel: 'slack' },
    quiet: [attempts('0+9x120', '0+5x120'), attempts('0x120', '0x9 1 2 3 4x60')],
  },
  CarillonQueueWaits: {
    fires: { carillon_queue_wait_seconds: '0x9 61x60' },
    at: 15,
    quiet: [{ carillon_queue_wait_seconds: '59x120' }],
  },
  CarillonQueueNearlyFull: {
    fires: { carillon_queue_deliveries: '7000x9 8001x60', carillon_queue_room: '10000x120' },
    at: 15,
    quiet: [{ carillon_queue_deliveries: '7000x120', carillon_queue_room: '10000x120' }],
  },
  CarillonSessionsGone: {
    fires: { carillon_sessions: '5x9 0x20' },
    at: 15,
    quiet: [{ carillon_sessions: '0x120' }, { carillon_sessions: '5x60 1x60' }, { carillon_sessions: '5x9 0x2 1x60' }],
  },
  CarillonAcksSlow: {
    fires: le('carillon_ack_latency_seconds', { 5: '0x9 0+8x60', 10: '0x9 0+10x60', '+Inf': '0x9 0+10x60' }),
    at: 21,
    quiet: [le('carillon_ack_latency_seconds', { 5: '0+10x120', 10: '0+10x120', '+Inf': '0+10x120' })],
  },
  CarillonJournalSlow: {
    fires: le('carillon_journal_sync_seconds', { 0.25: '0x9 0+90x60', 0.5: '0x9 0+100x60', '+Inf': '0x9 0+100x60' }),
    at: 21,
    quiet: [le('carillon_journal_sync_seconds', { 0.25: '0+100x120', 0.5: '0+100x120', '+Inf': '0+100x120' })],
  },
  CarillonEventLoopSlow: {
    fires: le('carillon_event_loop_delay_seconds', {
      0.25: '0x9 0+90x60',
      0.5: '0x9 0+100x60',
      '+Inf': '0x9 0+100x60',
    }),
    at: 21,
    quiet: [le('carillon_event_loop_delay_seconds', { 0.25: '0+100x120', 0.5: '0+100x120', '+Inf': '0+100x120' })],
  },
  CarillonFilesNearlyUsedUp: {
    fires: { process_open_fds: '10x9 900x60', process_max_fds: '1024x120' },
    at: 15,
    quiet: [{ process_open_fds: '800x120', process_max_fds: '1024x120' }],
  },
  CarillonTokensRefused: {
    fires: refusals('need-token', '0x9 0+90x60'),
    at: 24,
    quiet: [refusals('need-token', '0+30x120'), refusals('not-found', '0+90x120')],
  },
}

/** As promtool has it. */
function groupOf(
  series: Series,
  looks: readonly (readonly [minute: number, firing: readonly object[]])[],
  alert: string,
) {
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([key, values]) => {
      const [name = '', own = ''] = key.split(/[{}]/)
      return { series: `${name}{${own}${own === '' ? '' : ', '}${HUB}}`, values }
    }),
    promql_expr_test: looks.map(([minute, firing]) => ({
      expr: `ALERTS{alertname="${alert}", alertstate="firing"}`,
      eval_time: `${minute}m`,
      exp_samples: firing,
    })),
  }
}

function labelsOf(alert: string, { labels = {} }: Case): string {
  const severity = rules.find((rule) => rule.alert === alert)?.labels.severity ?? ''
  const withJob = /by \(/.test(rules.find((rule) => rule.alert === alert)?.expr ?? '') ? {} : { job: 'carillon' }
  const all = { alertname: alert, alertstate: 'firing', instance: 'a', severity, ...withJob, ...labels }
  return `ALERTS{${Object.entries(all)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`
}

function promtool(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8' })
  return status === 0 ? 'good' : `${stdout}${stderr}`
}

test('every alert has a case, and no other', () => {
  expect(Object.keys(cases)).toEqual(rules.map(({ alert }) => alert))
})

describe.skipIf(!hasPromtool)(hasPromtool ? 'promtool' : 'promtool (not installed: Debian package prometheus)', () => {
  test('finds nothing wrong with the rules and the example of a config', () => {
    expect(promtool('check', 'rules', rulesFile)).toBe('good')
    const example = join(rulesFile, '../prometheus.yml')
    expect(promtool('check', 'config', '--syntax-only', example)).toBe('good')
  })

  test('each alert fires when it should, no earlier, and not for less', () => {
    const { cwd, file } = configFolder()
    // each rule alone: promtool works out all that it is given at each step
    const files = Object.entries(cases).map(([alert, its]) => {
      const fires = [
        [its.at - 1, []],
        [its.at, [{ labels: labelsOf(alert, its), value: 1 }]],
      ] as const
      const quiet = [
        [its.at, []],
        [its.at + 20, []],
      ] as const
      const tests = [groupOf(its.fires, fires, alert), ...its.quiet.map((series) => groupOf(series, quiet, alert))]
      file(
        `${alert}.yml`,
        stringify({ groups: [{ name: alert, rules: rules.filter((rule) => rule.alert === alert) }] }),
      )
      file(`${alert}.test.yml`, stringify({ rule_files: [`${alert}.yml`], evaluation_interval: '1m', tests }))
      return join(cwd, `${alert}.test.yml`)
    })
    expect(promtool('test', 'rules', ...files)).toBe('good')
  })

  test('the words of an alert are filled in', () => {
    const { cwd, file } = configFolder()
    const { annotations } = rules.find(({ alert }) => alert === 'CarillonNotReady') ?? {}
    const filled = Object.entries(annotations ?? {}).map(([key, text]) => [
      key,
      text.replace('{{ $labels.instance }}', 'a').replace('{{ $labels.fault }}', 'disk-low'),
    ])
    const test1 = {
      ...groupOf({ 'carillon_fault{fault="disk-low"}': '1x10' }, [], ''),
      alert_rule_test: [
        {
          alertname: 'CarillonNotReady',
          eval_time: '5m',
          exp_alerts: [
            {
              exp_labels: { job: 'carillon', instance: 'a', fault: 'disk-low', severity: 'critical' },
              exp_annotations: Object.fromEntries(filled),
            },
          ],
        },
      ],
    }
    file('words.test.yml', stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests: [test1] }))
    expect(promtool('test', 'rules', join(cwd, 'words.test.yml'))).toBe('good')
  })
})
