/** `carillon channel test`: one message through real endpoints, with what came of each. No store is opened. */
import type { Endpoint, Io } from '../channels/channel.ts'
import type { Content } from '../channels/content.ts'
import { isSuccess, type Outcome } from '../channels/outcome.ts'
import { createOutbound } from '../channels/outbound/outbound.ts'
import type { Reach } from '../channels/reach.ts'
import { systemClock } from '../ground/clock.ts'
import { type Config, readConfig } from '../config.ts'
import { createLog } from '../ground/log.ts'
import { wireName } from '../protocol/address.ts'
import { BadArguments } from './arguments.ts'
import { defineCommand } from './command.ts'
import { configOptions, flagsOf } from './flags.ts'
import { print, printable, printJson } from './output.ts'

export default defineCommand({
  name: 'channel test',
  usage: 'channel test NAME',
  summary: 'Sends a test message to the recipient NAME, or through all of the channel NAME',
  notes: ['Ends with 1 when an endpoint did not take it. No hub is needed, and one that runs is not disturbed.'],
  options: {
    ...configOptions,
    platform: { type: 'string', value: 'P', about: 'only through this platform of the recipient' },
    json: { type: 'boolean', about: 'print a JSON object for each endpoint' },
  },
  async run({ values, positionals: [target = ''] }) {
    const look = { flags: flagsOf(values), env: process.env, cwd: process.cwd(), readOnly: true }
    const { config } = await readConfig(look)
    const tell = (result: Result) => (values.json ? printJson(result) : print(lineOf(result)))
    return (await testChannel(config, { target, platform: values.platform }, tell)) ? 0 : 1
  },
})

/** What came of one endpoint. */
export interface Result {
  readonly recipient: string
  readonly channel: string
  readonly endpoint: string
  readonly outcome: Outcome['kind']
  /** as the other side wrote it */
  readonly detail: string
}

interface Trial {
  readonly recipient: string
  readonly endpoint: Endpoint
}

const TITLE = 'Carillon 测试消息 · Test message'
const BODY = '这是一条测试消息，无需处理。\nThis is a test message. Nothing needs to be done.'

/**
 * Sends through each endpoint of the target once and tells of each.
 * @param target a recipient or a channel
 * @returns whether all of them took it
 * @throws BadArguments for a name that the config does not reach, with those that it does
 */
export async function testChannel(
  { reaches, token, queue }: Config,
  { target, platform }: { readonly target: string; readonly platform: string | undefined },
  tell: (result: Result) => Promise<void>,
): Promise<boolean> {
  const trials = trialsOf(reaches, target, platform)
  const timeoutMs = queue.timeout * 1000
  const http = createOutbound(systemClock, timeoutMs)
  const { signal } = new AbortController()
  const now = () => systemClock.now()
  try {
    return await tryAll(trials, { http, log: createLog('silent'), now, hubToken: token, timeoutMs, signal }, tell)
  } finally {
    await http.close()
  }
}

/**
 * The endpoints of a recipient, or all of a channel; one that several recipients share is tried once.
 * @param platform only this one of the recipient
 */
function trialsOf(reaches: readonly Reach[], target: string, platform: string | undefined): readonly Trial[] {
  // accounts of SDK calls are recipients too, of a kind of their own: their targets come with each call
  const people = reaches.filter(({ recipient }) => recipient.endsWith('@user'))
  const all = people.flatMap(({ recipient, platforms }) =>
    platforms.flatMap(({ endpoints }) => endpoints.map((endpoint) => ({ recipient: wireName(recipient), endpoint }))),
  )
  const own = all.filter(({ recipient }) => recipient === wireName(target.normalize('NFC')))
  const named = own.length > 0 ? own : all.filter(({ endpoint }) => endpoint.channel === target)
  if (named.length === 0) {
    throw new BadArguments(
      `nobody is reached by the name ${target}; recipients: ${listed(all.map(({ recipient }) => recipient))}; channels: ${channelsOf(all)}`,
    )
  }
  const found = named.filter(({ endpoint }) => platform === undefined || endpoint.channel === platform)
  if (found.length === 0) {
    throw new BadArguments(`${target} is not reached by ${String(platform)}; platforms: ${channelsOf(named)}`)
  }
  return found.filter(({ endpoint }, at) => found.findIndex((other) => other.endpoint.id === endpoint.id) === at)
}

/** One after the other, so that they come in the order of the config. */
async function tryAll(trials: readonly Trial[], io: Io, tell: (result: Result) => Promise<void>): Promise<boolean> {
  let allTook = true
  for (const { recipient, endpoint } of trials) {
    const outcome = await sent(endpoint, testContent(recipient, io.now()), io)
    const detail = ('detail' in outcome ? outcome.detail : undefined) ?? ''
    await tell({ recipient, channel: endpoint.channel, endpoint: endpoint.name, outcome: outcome.kind, detail })
    allTook &&= isSuccess(outcome.kind)
  }
  return allTook
}

function lineOf({ recipient, channel, endpoint, outcome, detail }: Result): string {
  return `${recipient} / ${channel} / ${endpoint}: ${outcome}${detail === '' ? '' : `: ${printable(detail)}`}`
}

/** @param now ms since epoch; the mid is made of it, as no store is there to give one */
function testContent(recipient: string, now: number): Content {
  return {
    frame: {
      sendType: 'personal',
      target: recipient,
      from: { method: 'http', name: 'carillon' },
      message: { text: TITLE, desp: BODY, extra: { type: 'info' } },
      mid: String(now),
    },
    title: TITLE,
    body: BODY,
    level: 'info',
    style: 'text',
    at: now,
    recipient,
    link: null,
    confirmUrl: null,
  }
}

/** A channel never throws; one that does has a fault, and its words may hold a secret. */
async function sent(endpoint: Endpoint, content: Content, io: Io): Promise<Outcome> {
  try {
    return await endpoint.send(content, io)
  } catch (error) {
    return { kind: 'failed', detail: `the channel threw: ${error instanceof Error ? error.name : 'unknown error'}` }
  }
}

function channelsOf(trials: readonly Trial[]): string {
  return listed(trials.map(({ endpoint }) => endpoint.channel))
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : [...new Set(names)].join(', ')
}
