import { expect, test } from 'vitest'
import { addressOf, linkLines } from '../../../server/channels/text/links.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel/content.ts'

const both = contentOf({ link: LINK, confirmUrl: CONFIRM_URL })
const fits = () => true

test('a line each, the one to confirm last', () => {
  expect(linkLines(both, fits).split('\n')).toEqual([
    '',
    expect.stringMatching(/^\S.*: https:\/\/shop\.example\.com\/orders\/7\?tab=items&lang=zh$/),
    expect.stringMatching(/^\S.*: https:\/\/hub\.example\.com\/confirm\?.*$/),
  ])
})

test('nothing where there is none', () => {
  expect(linkLines(contentOf(), fits)).toBe('')
})

test('without room the one to confirm stays', () => {
  const lines = linkLines(both, (text) => !text.includes(LINK))
  expect(lines).toContain(CONFIRM_URL)
  expect(lines).not.toContain(LINK)
})

test.each([
  ['https://a.example/<@all>?q=<b>#<c>', 'https://a.example/%3C@all%3E?q=%3Cb%3E#%3Cc%3E'],
  ['https://a.example/x y\nz', 'https://a.example/x%20yz'],
  ['https://a.example/1?b=2&c=%20', 'https://a.example/1?b=2&c=%20'],
])('%j is written as %s', (url, written) => {
  expect(addressOf(url)).toBe(written)
})
