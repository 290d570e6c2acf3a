/** What readers see of short messages, in each style. */
import { describe, expect, test } from 'vitest'
import { LEVELS } from '../../../server/channels/content.ts'
import type { Bench, ChannelUnderTest } from './bench.ts'
import { CONFIRM_URL, contentOf, LINK } from './content.ts'

/** What calls everyone, or somebody, at one vendor or another. `check` refuses what would at its own. */
export const mentions = [
  '@all @everyone @here @channel @所有人 @13800138000',
  '<!here> <!channel> <!everyone> <!subteam^S012AB3CD> <@U012AB3CD> <@all> <@&123456> <@13800138000> <#C012AB3CD>',
  '<at user_id="all"></at> <at id=all></at> <at id="all"></at> <at email=boss@example.com></at> <AT USER_ID="all">a</AT>',
  '<at>Boss</at> <at userid="all">a</at> <a href="tg://user?id=1">b</a> [c](tg://user?id=1)',
].join('\n')

export function testShown(
  { styles = ['text', 'card'], links = true, parts = 1 }: ChannelUnderTest,
  bench: Bench,
): void {
  describe.each(styles)('%s', (style) => {
    test.each([
      ['ASCII', 'Disk full', 'nas1: /data has 3 GB left'],
      ['Chinese', '磁盘已满', '服务器的数据盘只剩三吉字节'],
      ['emoji', 'Party 👨‍👩‍👧‍👦', '👍🏽 🇨🇳 done'],
    ])('shows title and text: %s', async (_, title, body) => {
      const shown = await bench.read(contentOf({ style, title, body }))
      expect(shown).toHaveLength(parts)
      for (const text of shown) {
        expect(text).toContain(title)
        expect(text).toContain(body)
      }
    })

    test('shows a message without a text', async () => {
      const shown = await bench.read(contentOf({ style, body: '' }))
      expect(shown).toHaveLength(parts)
      expect(shown[0]).toContain('Disk full')
    })

    test.each(LEVELS)('takes the level %s', async (level) => {
      expect((await bench.read(contentOf({ style, level })))[0]).toContain('Disk full')
    })

    test('shows what has a meaning in markup', async () => {
      const body = 'R&D says "100%": \'a\' \\ {b} #1 $x\n\n| c |\n\n> d\n\n- e\n\n`f` ~g~'
      const shown = await bench.read(contentOf({ style, title: 'R&D', body }))
      expect(shown[0]).toContain('R&D says "100%"')
    })

    if (links) withLinks()

    test('calls nobody, whatever the text says', async () => {
      for (const said of [
        { title: 'All hands', body: mentions },
        { title: mentions, body: 'to everyone' },
        { title: mentions, body: '' },
      ]) {
        const shown = await bench.read(contentOf({ style, ...said }))
        expect(shown.join('\n')).toContain('everyone')
      }
    })

    function withLinks() {
      test('shows the link and where to confirm', async () => {
        for (const title of ['Order 7', '订单 7']) {
          const shown = await bench.read(contentOf({ style, title, link: LINK, confirmUrl: CONFIRM_URL }))
          expect(shown[0]).toContain(LINK)
          expect(shown[0]).toContain(CONFIRM_URL)
        }
        expect((await bench.read(contentOf({ style, link: LINK })))[0]).toContain(LINK)
        expect((await bench.read(contentOf({ style, body: '', confirmUrl: CONFIRM_URL })))[0]).toContain(CONFIRM_URL)
      })
    }
  })
}
