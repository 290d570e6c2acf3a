/** `carillon channel test`: one message through real endpoints, with what came of each. No store is opened. */
import type { Endpoint, Io, Outcome } from '../channels/channel.ts'
import type { Content } from '../channels/content.ts'
import { createOutbound } from '../channels/outbound/outbound.ts'
import type { Reach } from '../channels/reach.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createLog } from '../log.ts'
import { wireName } from '../protocol/address.ts'

/** A recipient, channel or platform that the config does not reach. The message lists those that it does. */
export class UnknownName extends Error {
  override readonly name = 'UnknownName'
}

interface Trial {
  readonly recipient: string
  readonly endpoint: Endpoint
}

const TITLE = 'Carillon 测试消息 · Test message'
const BODY = '这是一条测试消息，无需处理。\nThis is a test message. Nothing needs to be done.'

/**
 * Sends through each endpoint of the target once and says a line of each.
 * @param target a recipient or a channel
 * @returns whether all of them took it
 * @throws UnknownName
 */
export async function testChannel(
  { reaches, token, queue }: Config,
  { target, platform }: { readonly target: string; readonly platform: string | undefined },
  say: (line: string) => void,
): Promise<boolean> {
  const trials = trialsOf(reaches, target, platform)
  const timeoutMs = queue.timeout * 1000
  const http = createOutbound(systemClock, timeoutMs)
  const { signal } = new AbortController()
  const now = () => systemClock.now()
  try {
    return await tryAll(trials, { http, log: createLog('silent'), now, hubToken: token, timeoutMs, signal }, say)
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
    throw new UnknownName(
      `nobody is reached by the name ${target}; recipients: ${listed(all.map(({ recipient }) => recipient))}; channels: ${channelsOf(all)}`,
    )
  }
  const found = named.filter(({ endpoint }) => platform === undefined || endpoint.channel === platform)
  if (found.length === 0) {
    throw new UnknownName(`${target} is not reached by ${String(platform)}; platforms: ${channelsOf(named)}`)
  }
  return found.filter(({ endpoint }, at) => found.findIndex((other) => other.endpoint.id === endpoint.id) === at)
}

/** One after the other, so that lines stand in the order of the config. */
async function tryAll(trials: readonly Trial[], io: Io, say: (line: string) => void): Promise<boolean> {
  let allTook = true
  for (const { recipient, endpoint } of trials) {
    const outcome = await sent(endpoint, testContent(recipient, io.now()), io)
    const detail = 'detail' in outcome && outcome.detail !== undefined ? `: ${printable(outcome.detail)}` : ''
    say(`${recipient} / ${endpoint.channel} / ${endpoint.name}: ${outcome.kind}${detail}`)
    allTook &&= outcome.kind === 'accepted' || outcome.kind === 'delivered'
  }
  return allTook
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

/** What the other side wrote must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
