/** A provider of SMS and calls that takes everything, and endpoints that lead to it. */
import type { Channel, Endpoint, Sent } from '../../server/channels/channel.ts'
import type { Content } from '../../server/channels/content.ts'
import type { ChannelUnderTest } from '../contract/channel.ts'
import type { Received } from './receiver.ts'
import type { VendorAnswer } from './vendor.ts'
import { vendorBench } from './vendor-bench.ts'

export interface Phones {
  readonly requests: readonly Received[]
  /** instead of taking what comes */
  answer: ((request: Received) => VendorAnswer) | null
  /** the request that came last */
  last(): Received
  /** @param more keys of the platform instead of the subject's own */
  endpoint(subject: ChannelUnderTest, more: object): Endpoint
  send(subject: ChannelUnderTest, more: object, content: Content): Promise<Sent>
  direct(subject: ChannelUnderTest, content: Content): Promise<Sent>
  close(): Promise<void>
}

export async function startPhones(channel: Channel): Promise<Phones> {
  const { vendor, io, close } = await vendorBench({ ok: { status: 500, body: '' }, check: () => null })
  const take = (subject: ChannelUnderTest) => {
    vendor.answer = (request) => phones.answer?.(request) ?? subject.ok
  }

  const phones: Phones = {
    requests: vendor.messages,
    answer: null,
    last() {
      const request = vendor.messages.at(-1)
      if (!request) throw new Error('nothing was sent')
      return request
    },
    endpoint(subject, more) {
      const platform = { ...Object(subject.platform(vendor.url)), ...more }
      const [endpoint] = channel.endpoints(platform, undefined, { firstMs: 1, maxMs: 1, tries: 1 })
      if (!endpoint) throw new Error('the platform has no endpoint')
      return endpoint
    },
    async send(subject, more, content) {
      take(subject)
      return phones.endpoint(subject, more).send(content, io)
    },
    async direct(subject, content) {
      take(subject)
      const endpoint = channel.direct(subject.direct?.account(vendor.url))
      if (!endpoint) throw new Error('the channel takes no direct calls')
      return endpoint.send(content, io)
    },
    close,
  }
  return phones
}
