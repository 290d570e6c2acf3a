/** A vendor with what a channel needs to speak to it. */
import type { Io } from '../../server/channels/channel.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import { createLog } from '../../server/log.ts'
import { type TestClock, testClock } from './clock.ts'
import { startVendor, type Vendor, type VendorRules } from './vendor.ts'

const TIMEOUT_MS = 15_000

export interface VendorBench {
  readonly vendor: Vendor
  readonly clock: TestClock
  readonly io: Io
  close(): Promise<void>
}

export async function vendorBench(rules: VendorRules): Promise<VendorBench> {
  const clock = testClock()
  const http = createOutbound(clock, TIMEOUT_MS)
  const vendor = await startVendor(rules, () => clock.now())
  return {
    vendor,
    clock,
    io: {
      http,
      log: createLog('silent'),
      now: () => clock.now(),
      hubToken: 'canary-hub-token',
      timeoutMs: TIMEOUT_MS,
      signal: new AbortController().signal,
    },
    async close() {
      await Promise.all([http.close(), vendor.close()])
    },
  }
}
