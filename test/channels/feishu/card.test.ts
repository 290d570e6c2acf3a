import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Content } from '../../../server/channels/content.ts'
import { cards, type CardSchema } from '../../../server/channels/feishu/card.ts'
import { CONFIRM_URL, contentOf, LINK } from '../../contract/channel.ts'

const element = z.object({ tag: z.string(), content: z.string().optional() }).loose()
const cardSchema = z.object({
  header: z.object({ template: z.string(), title: z.object({ content: z.string() }) }),
  body: z.object({ elements: z.array(element) }),
})

function cardsOf(said: Partial<Content>, max = 20_000, schema: CardSchema = '2.0') {
  return cards(contentOf({ style: 'card', ...said }), schema, (card) => JSON.stringify(card).length / max)
}
const cardOf = (said: Partial<Content>) => cardSchema.parse(cardsOf(said)[0])
const textOf = (said: Partial<Content>) => cardOf(said).body.elements[0]?.content

test('a card of each version is as the vendor wants it', () => {
  const said = { title: 'T', body: 'B', level: 'warning', link: LINK, confirmUrl: CONFIRM_URL } as const
  const header = { template: 'orange', title: { tag: 'plain_text', content: 'T' } }
  const [details, confirm] = [
    { tag: 'button', type: 'default', text: { tag: 'plain_text', content: '查看详情 Details' } },
    { tag: 'button', type: 'primary', text: { tag: 'plain_text', content: '确认收到 Confirm' } },
  ]
  const open = (default_url: string) => ({ behaviors: [{ type: 'open_url', default_url }] })
  expect(cardsOf(said)).toEqual([
    {
      schema: '2.0',
      config: { update_multi: true },
      header,
      body: {
        elements: [
          { tag: 'markdown', content: 'B' },
          { ...details, ...open(LINK) },
          { ...confirm, ...open(CONFIRM_URL) },
        ],
      },
    },
  ])
  expect(cardsOf(said, 20_000, '1.0')).toEqual([
    {
      config: { wide_screen_mode: true },
      header,
      elements: [
        { tag: 'markdown', content: 'B' },
        {
          tag: 'action',
          actions: [
            { ...details, url: LINK },
            { ...confirm, url: CONFIRM_URL },
          ],
        },
      ],
    },
  ])
})

test('is coloured by level', () => {
  const colours = (['info', 'warning', 'error', 'success'] as const).map((level) => cardOf({ level }).header.template)
  expect(colours).toEqual(['blue', 'orange', 'red', 'green'])
})

test('without a text says its title, or has its buttons', () => {
  expect(cardOf({ title: 'T', body: '' }).body.elements).toEqual([{ tag: 'markdown', content: 'T' }])
  expect(cardOf({ title: 'T', body: '', link: LINK }).body.elements).toMatchObject([{ tag: 'button' }])
})

test('has one line of title, the rest in its text', () => {
  const title = `# Report\n${'x'.repeat(200)}`
  expect(cardOf({ title, body: 'B' }).header.title.content).toBe('# Report…')
  expect(textOf({ title, body: 'B' })).toBe(`${title}\n\nB`)
  expect(cardOf({ title: '字'.repeat(101), body: '' }).header.title.content).toBe(`${'字'.repeat(99)}…`)
})

test('several of one message are numbered, and the buttons stand below the last', () => {
  const all = cardsOf({ title: 'T', body: 'x'.repeat(800), confirmUrl: CONFIRM_URL }, 1_000).map((card) =>
    cardSchema.parse(card),
  )
  expect(all.map(({ header }) => header.title.content)).toEqual(['T (1/2)', 'T (2/2)'])
  expect(all.map(({ body }) => body.elements.map(({ tag }) => tag))).toEqual([['markdown'], ['markdown', 'button']])
})

test('shows images as links, for which the vendor wants keys of its own', () => {
  expect(textOf({ body: 'see ![the graph](https://a.test/b.png), now! [x](y)' })).toBe(
    'see [the graph](https://a.test/b.png), now! [x](y)',
  )
})

test('leaves out a link that is too long for it, never the one to confirm', () => {
  const link = `https://a.test/${'x'.repeat(30_000)}`
  const { elements } = cardOf({ body: '', link, confirmUrl: LINK }).body
  expect(elements).toMatchObject([{ behaviors: [{ default_url: LINK }] }])
  expect(cardOf({ body: '', confirmUrl: link }).body.elements).toMatchObject([{ behaviors: [{ default_url: link }] }])
})

describe('tables', () => {
  const table = (at: number) => `| a | b |\n|---|:-:|\n| ${at} | x |\n| y | z |`
  const fenced = (at: number) => `\`\`\`\n${table(at)}\n\`\`\``
  const tables = (count: number) => Array.from({ length: count }, (_, at) => table(at))

  test('are shown up to the fifth, and the others as code', () => {
    expect(textOf({ body: tables(5).join('\n\n') })).toBe(tables(5).join('\n\n'))
    expect(textOf({ body: tables(6).join('\n\n') })).toBe([...tables(5), fenced(5)].join('\n\n'))
    expect(textOf({ body: [...tables(7), 'end'].join('\n\n') })).toBe(
      [...tables(5), fenced(5), fenced(6), 'end'].join('\n\n'),
    )
  })

  test('may have a plain line right below them', () => {
    expect(textOf({ body: [...tables(6), 'end'].join('\n') })).toContain('end')
    expect(textOf({ body: `${tables(6).join('\n\n')}\nend` })).toBe([...tables(5), `${fenced(5)}\nend`].join('\n\n'))
  })

  test('are not lines and rules between other things', () => {
    const body = Array.from({ length: 9 }, (_, at) => `${at} a | b\n---\nc\n\n|---|`).join('\n\n')
    expect(textOf({ body })).toBe(body)
  })
})
