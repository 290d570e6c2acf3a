/** What a vendor does with a request: decided by the seed, the message, the endpoint and how often it came. */
import type { Channel } from './cast.ts'
import { random } from '../random.ts'

export interface Fate {
  readonly does: 'yes' | 'later' | 'never' | 'hang' | 'reset'
  /** it shows the message to people; after `hang` and `reset` only it knows */
  readonly took: boolean
  readonly afterMs: number
  /** among the vendor's ways to say it */
  readonly variant: number
}

export interface Asked {
  readonly channel: Channel | 'monitor'
  readonly endpoint: string
  readonly push: string
  /** requests for this push and endpoint before */
  readonly before: number
}

const DOOMED = 0.05

export function fateOf(seed: number, { channel, endpoint, push, before }: Asked): Fate {
  const chance = random(seed, `${push} on ${endpoint}, ${before}`)
  const afterMs = chance.chance(0.2) ? chance.between(100, 500) : chance.between(1, 60)
  const variant = chance.next()
  const fate = (does: Fate['does'], took: boolean): Fate => ({ does, took, afterMs, variant })
  if (channel === 'monitor') return fate('yes', true)
  const isDoomed = random(seed, `doom of ${push}`).chance(DOOMED)
  // a webhook that always said later would be tried for ever
  if (isDoomed) return fate(channel === 'webhook' || variant < 0.5 ? 'never' : 'later', false)
  const dice = chance.next()
  if (dice < 0.79) return fate('yes', true)
  if (dice < 0.9) return fate('later', false)
  if (dice < 0.92) return fate('hang', chance.chance(0.5))
  if (dice < 0.96) return fate('reset', chance.chance(0.5))
  return fate(channel === 'webhook' ? 'later' : 'never', false)
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The words of each vendor. */
export function answerOf(channel: Channel | 'monitor', does: 'yes' | 'later' | 'never', variant: number): Answer {
  const ways = answers[channel][does]
  return ways[Math.floor(variant * ways.length)] ?? ways[0]
}

type Ways = Readonly<Record<'yes' | 'later' | 'never', readonly [Answer, ...Answer[]]>>

const json = { 'content-type': 'application/json' }
const said = (word: object, status = 200): Answer => ({ status, headers: json, body: JSON.stringify(word) })
const bare = (status: number, headers = {}): Answer => ({ status, headers, body: '' })
const wecom = (busy: Answer, gone: Answer): Ways => ({
  yes: [said({ errcode: 0, errmsg: 'ok' })],
  later: [busy, bare(503), bare(502)],
  never: [gone, bare(404)],
})

const webhook: Ways = {
  yes: [bare(204), bare(200)],
  later: [bare(500), bare(429, { 'retry-after': '1' })],
  never: [bare(410)],
}

const answers: Readonly<Record<Channel | 'monitor', Ways>> = {
  feishu: {
    yes: [said({ code: 0, msg: 'success' }), said({ StatusCode: 0, StatusMessage: 'success' })],
    later: [said({ code: 11_232, msg: 'frequency limited' }), bare(503), said({ code: 1, msg: 'busy' }, 500)],
    never: [said({ code: 19_001, msg: 'param invalid: incoming webhook access token invalid' }), bare(404)],
  },
  dingtalk: wecom(said({ errcode: -1, errmsg: 'busy' }), said({ errcode: 300_005, errmsg: 'token is not exist' })),
  wechat: wecom(said({ errcode: -1, errmsg: 'busy' }), said({ errcode: 93_000, errmsg: 'invalid webhook url' })),
  webhook,
  monitor: webhook,
}
