/** What long texts cost, whatever is in them: while one is rendered, everybody waits. */
import { expect, test } from 'vitest'
import type { Content } from '../../../server/channels/content.ts'
import type { Outbound } from '../../../server/channels/outbound/outbound.ts'
import { type Bench, type ChannelUnderTest, ioOf } from './bench.ts'
import { CONFIRM_URL, contentOf, LINK } from './content.ts'

const SIZE = 64 * 1024
const MOST_CPU_MS = 250
const units = {
  emphasis: '**a** _b_ ~~c~~ `d` ',
  'emphasis without end': '_ _a',
  links: '[a](https://a.test/b) ',
  brackets: '[',
  emoji: '👨‍👩‍👧‍👦',
  'one line': 'x',
  'short lines': 'x\n',
  quotes: '> q\n',
  code: '```\nx\n```\n',
  tables: '|a|b|\n|-|-|\n|c|d|\n\n',
  Chinese: '磁盘已满，请处理。',
  'what is escaped': '"\\<&',
}

export function testSpeed({ styles = ['text', 'card'] }: ChannelUnderTest, bench: Bench): void {
  test.each(styles)('64 KiB of anything are soon a %s', async (style) => {
    const slow: string[] = []
    for (const [name, unit] of Object.entries(units)) {
      const body = unit.repeat(SIZE / Buffer.byteLength(unit))
      const content = contentOf({ style, body, link: LINK, confirmUrl: CONFIRM_URL })
      // the first time it is compiled as well
      if ((await cpuMs(content, bench)) > MOST_CPU_MS && (await cpuMs(content, bench)) > MOST_CPU_MS) slow.push(name)
    }
    expect(slow).toEqual([])
  })
}

const nobody: Outbound = {
  request: () => Promise.resolve({ ok: false, detail: 'nobody is there', maybeDelivered: false }),
  close: () => Promise.resolve(),
}

async function cpuMs(content: Content, bench: Bench): Promise<number> {
  const before = process.cpuUsage()
  await bench.endpoint().send(content, ioOf(nobody, bench.clock))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
