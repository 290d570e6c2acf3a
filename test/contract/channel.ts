/**
 * What every channel promises, as server/channels/channel.ts says it: one suite over each of them, in front of
 * a vendor on this machine that looks at what it is sent.
 */
import { describe } from 'vitest'
import { testAnswers } from './channel/answers.ts'
import { benchOf, type ChannelUnderTest } from './channel/bench.ts'
import { testDescribed } from './channel/described.ts'
import { testDirect } from './channel/direct.ts'
import { testLengths } from './channel/lengths.ts'
import { testSecrets } from './channel/secrets.ts'
import { testShown } from './channel/shown.ts'
import { testSpeed } from './channel/speed.ts'

export { type ChannelUnderTest, ioOf } from './channel/bench.ts'
export { CONFIRM_URL, contentOf, LINK } from './channel/content.ts'
export { mentions } from './channel/shown.ts'

/** Runs the whole contract over a channel. */
export function channelContract(subject: ChannelUnderTest): void {
  describe(`the contract of channels: ${subject.channel.name}`, () => {
    const bench = benchOf(subject)
    describe('described', () => testDescribed(subject, bench))
    describe('shown', () => testShown(subject, bench))
    describe('lengths', () => testLengths(subject, bench))
    describe('speed', () => testSpeed(subject, bench))
    describe('answers', () => testAnswers(subject, bench))
    describe('secrets', () => testSecrets(subject, bench))
    testDirect(subject, bench)
  })
}
