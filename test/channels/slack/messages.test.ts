import { describe, expect, test } from 'vitest'
import type { Content } from '../../../server/channels/content.ts'
import { type Message, messagesOf } from '../../../server/channels/slack/messages.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel.ts'

const rendered = (content: Partial<Content>) => messagesOf(contentOf(content))
const sectionsOf = ({ attachments = [] }: Message) =>
  attachments.flatMap(({ blocks }) => blocks).map(({ text }) => text.text)

describe('a text', () => {
  test('has its title in bold, and its links below', () => {
    const [only] = rendered({ title: 'R&D', body: '*as it is*', link: LINK, confirmUrl: CONFIRM_URL })
    expect(only?.text).toBe(
      `*R&amp;D*\n*as it is*\n查看详情 Details: ${LINK.replaceAll('&', '&amp;')}\n确认收到 Confirm: ${CONFIRM_URL.replaceAll('&', '&amp;')}`,
    )
    expect(only).not.toHaveProperty('attachments')
  })

  test('of a title alone is that', () => {
    expect(rendered({ title: 'T', body: '' })).toMatchObject([{ text: 'T' }])
  })
})

describe('a card', () => {
  test.each([
    ['info', '#3AA3E3', 'ℹ️'],
    ['warning', '#E6A23C', '⚠️'],
    ['error', '#A32037', '🔴'],
    ['success', '#3AA337', '✅'],
  ] as const)('of level %s is %s', (level, color, emoji) => {
    expect(rendered({ style: 'card', title: 'A & B', body: '**b**', level })).toMatchObject([
      {
        text: `${emoji} *A &amp; B*`,
        attachments: [{ color, fallback: 'A &amp; B', blocks: [{ text: { text: '*b*' } }] }],
      },
    ])
  })

  test('has its links in a section of their own', () => {
    const [only] = rendered({
      style: 'card',
      body: 'B',
      link: 'https://a.test/?x=1&y=2',
      confirmUrl: 'https://b.test/c',
    })
    expect(only && sectionsOf(only)).toEqual([
      'B',
      '<https://a.test/?x=1&amp;y=2|查看详情 Details> · <https://b.test/c|确认收到 Confirm>',
    ])
  })

  test('without a body is its title', () => {
    const cards = rendered({ style: 'card', title: 'T', body: '' })
    expect(cards).toEqual([{ text: 'ℹ️ *T*' }])
  })

  test('has its link left out where that is too long, and still asks to confirm', () => {
    const [only] = rendered({
      style: 'card',
      body: 'B',
      link: `https://a.test/${'x'.repeat(1_000)}`,
      confirmUrl: CONFIRM_URL,
    })
    expect(only && sectionsOf(only)).toEqual(['B', `<${CONFIRM_URL.replaceAll('&', '&amp;')}|确认收到 Confirm>`])
  })

  test('fills sections of 3,000 characters, four to a message', () => {
    const cards = rendered({ style: 'card', title: 'T', body: 'x'.repeat(12_001), confirmUrl: CONFIRM_URL })
    expect(cards.map((card) => sectionsOf(card).map(({ length }) => length))).toEqual([
      [3_000, 3_000, 3_000, 3_000],
      [1, CONFIRM_URL.replaceAll('&', '&amp;').length + '<|确认收到 Confirm>'.length],
    ])
    expect(cards.map(({ text }) => text)).toEqual(['ℹ️ *T (1/2)*', 'ℹ️ *T (2/2)*'])
  })

  test('breaks no link at the end of a section', () => {
    const link = '[words](https://a.test/path)'
    const [card] = rendered({ style: 'card', body: `${'x'.repeat(2_990)} ${link}` })
    expect(card && sectionsOf(card).at(-1)).toBe('<https://a.test/path|words>')
  })
})
