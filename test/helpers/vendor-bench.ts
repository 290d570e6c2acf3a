/** A vendor with what a channel needs to speak to it. */
import type { Io } from '../../server/channels/channel.ts'
import { createOutbound } from '../../server/channels/outbound/outbound.ts'
import { ioOf } from '../contract/channel.ts'
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
    io: ioOf(http, clock),
    async close() {
      await Promise.all([http.close(), vendor.close()])
    },
  }
}
