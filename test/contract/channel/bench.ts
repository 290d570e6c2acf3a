/** What every test of the contract has at hand: a vendor, a clock, and an endpoint that leads there. */
import { afterEach, beforeEach, expect } from 'vitest'
import type { Backoff, Capabilities, Channel, Endpoint, Io, Outcome, Sent } from '../../../server/channels/channel.ts'
import type { Content } from '../../../server/channels/content.ts'
import { createOutbound, type Outbound } from '../../../server/channels/outbound/outbound.ts'
import type { Clock } from '../../../server/ground/clock.ts'
import { createLog, type Log } from '../../../server/ground/log.ts'
import { type TestClock, testClock } from '../../helpers/clock.ts'
import type { Received } from '../../helpers/receiver.ts'
import { startVendor, type Vendor, type VendorAnswer, type VendorRules } from '../../helpers/vendor.ts'

export const TIMEOUT_MS = 15_000
const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 60_000, tries: 3 }
const MINUTE_MS = 60_000
const { signal: never } = new AbortController()

export interface ChannelUnderTest extends VendorRules {
  readonly channel: Channel
  /** a platform of one endpoint that leads to the vendor */
  platform(vendorUrl: string): unknown
  section?(vendorUrl: string): unknown
  /**
   * What the vendor would refuse, null if nothing: signature, limits, shape, and whatever in it would call
   * everyone (`mentions` holds the spellings).
   */
  check(request: Received, now: number): string | null
  /** all that a reader would see of it, unescaped, with the URLs of links and buttons */
  shown(request: Received): string
  /** the text that the vendor counts, for limits in a unit other than `body` */
  counted?(request: Received): string
  /** each answer of the vendor with what it means */
  readonly responses: readonly {
    readonly name: string
    readonly answer: VendorAnswer
    readonly outcome: Partial<Outcome> & Pick<Outcome, 'kind'>
  }[]
  /** of `platform` and `section`: they are in no outcome, no log line and no id */
  readonly secrets: readonly string[]
  /** what it is sent in; both unless told */
  readonly styles?: readonly Content['style'][]
  /** `split`, unless told: as many pieces as it takes, 5 at most. `cut`: one piece, with `…` at its end */
  readonly overflow?: 'split' | 'cut'
  /** false: its readers cannot be given links, as in calls and SMS templates */
  readonly links?: boolean
  /** what a 200 means whose body makes no sense; `failed` unless told */
  readonly malformed?: Outcome['kind']
  /** messages that one message becomes where it is short; 1 unless told */
  readonly parts?: number
  readonly direct?: DirectCall
}

export interface DirectCall {
  account(vendorUrl: string): unknown
  readonly target: unknown
  /** targets that are none, or that the account must not reach */
  readonly refused: readonly unknown[]
}

export interface Bench {
  readonly vendor: Vendor
  readonly clock: TestClock
  readonly capabilities: Capabilities
  endpoint(vendorUrl?: string): Endpoint
  direct(): Endpoint
  /** Sends it later than whatever was sent before, so that no rate is in the way. */
  send(content: Content, options?: { endpoint?: Endpoint; skip?: number }): Promise<Sent>
  /** What readers saw of it: a text for each message that reached the vendor. The vendor must have taken it. */
  read(content: Content): Promise<readonly string[]>
  /** everything that was logged */
  logged(): string
}

/** What the hub hands to a channel. */
export function ioOf(http: Outbound, clock: Clock, log: Log = createLog('silent')): Io {
  return { http, log, now: () => clock.now(), hubToken: 'canary-hub-token', timeoutMs: TIMEOUT_MS, signal: never }
}

/** Gives each test of the suite around it a fresh vendor. A vendor that had to complain turns the test red. */
export function benchOf(subject: ChannelUnderTest): Bench {
  const { channel } = subject
  const rest = Math.max(MINUTE_MS, ...channel.capabilities.rates.map(({ perMs }) => perMs))
  let clock = testClock()
  let outbound: Outbound | undefined
  let vendor: Vendor | undefined
  let lines = ''
  const log = createLog('trace', { write: (line) => void (lines += line) })

  beforeEach(async () => {
    clock = testClock()
    lines = ''
    outbound = createOutbound(clock, TIMEOUT_MS)
    vendor = await startVendor(subject, () => clock.now())
  })
  afterEach(async () => {
    const complaints = vendor?.complaints ?? []
    await Promise.all([outbound?.close(), vendor?.close()])
    expect(complaints).toEqual([])
  })

  const bench: Bench = {
    get vendor() {
      if (!vendor) throw new Error('a vendor exists inside tests only')
      return vendor
    },
    get clock() {
      return clock
    },
    capabilities: channel.capabilities,
    endpoint(vendorUrl = bench.vendor.url) {
      const [endpoint] = channel.endpoints(subject.platform(vendorUrl), subject.section?.(vendorUrl), BACKOFF)
      if (!endpoint) throw new Error('the platform has no endpoint')
      return endpoint
    },
    direct() {
      const endpoint = channel.direct(subject.direct?.account(bench.vendor.url))
      if (!endpoint) throw new Error('the channel takes no direct calls')
      return endpoint
    },
    send(content, { endpoint = bench.endpoint(), skip } = {}) {
      clock.jump(rest)
      const http: Outbound = {
        request(request) {
          expect(request.trusted, 'an address of the config is trusted').toBe(true)
          return outbound?.request(request) ?? Promise.reject(new Error('no outbound'))
        },
        close: () => Promise.resolve(),
      }
      return endpoint.send(content, ioOf(http, clock, log), skip)
    },
    async read(content) {
      const before = bench.vendor.messages.length
      const outcome = await bench.send(content)
      expect(bench.vendor.complaints).toEqual([])
      expect(outcome).toMatchObject({ kind: channel.capabilities.success })
      return bench.vendor.messages.slice(before).map((request) => subject.shown(request))
    },
    logged: () => lines,
  }
  return bench
}
