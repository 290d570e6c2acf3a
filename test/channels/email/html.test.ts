import { describe, expect, test } from 'vitest'
import { LEVELS, looks } from '../../../server/channels/content.ts'
import { htmlOf } from '../../../server/channels/email/html.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel.ts'

describe('the page of a mail', () => {
  test.each(LEVELS)('has the colour and sign of %s', (level) => {
    const html = htmlOf(contentOf({ level }))
    expect(html).toContain(`border-top:6px solid ${looks[level].color}`)
    expect(html).toContain(`${looks[level].emoji} Disk full</h1>`)
  })

  test('shows the text as Markdown', () => {
    expect(htmlOf(contentOf({ body: '**3 GB** left' }))).toContain('<strong>3 GB</strong> left')
  })

  test('has a button for each link', () => {
    const html = htmlOf(contentOf({ level: 'error', link: LINK, confirmUrl: CONFIRM_URL }))
    const buttons = [...html.matchAll(/<a href="([^"]*)" style="[^"]*#A32037">([^<]*)<\/a>/g)]
    expect(buttons.map(([, href, words]) => [href, words])).toEqual([
      [LINK.replaceAll('&', '&amp;'), '查看详情 Details'],
      [CONFIRM_URL.replaceAll('&', '&amp;'), '确认收到 Confirm'],
    ])
    expect(htmlOf(contentOf())).not.toContain('<a ')
  })

  test('takes no markup from title, text or links', () => {
    const html = htmlOf(
      contentOf({
        title: '</title></h1><script>alert(1)</script>',
        body: '<script>alert(2)</script><img src=x onerror=alert(3)>',
        link: 'https://x.test/"><script>alert(4)</script>',
      }),
    )
    expect(html).not.toMatch(/<(script|img)/)
    expect(html.match(/<\/(title|h1)>/g)).toEqual(['</title>', '</h1>'])
    expect(html).not.toMatch(/<table|<style|url\(/)
  })

  test('loads nothing from anywhere', () => {
    const html = htmlOf(contentOf({ body: '![x](https://x.test/pixel.png)', link: LINK }))
    expect(html).not.toMatch(/ src=|<img|<link|@import/)
  })
})
