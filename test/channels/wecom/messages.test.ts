import { describe, expect, test } from 'vitest'
import { markdownMessages, textMessages, type WecomMessage } from '../../../server/channels/wecom/messages.ts'
import { CONFIRM_URL, contentOf, LINK, mentions } from '../../contract/channel.ts'

const saidIn = (message: WecomMessage | undefined) => Object(message)[message?.msgtype ?? '']?.content as string
const cards = (said: Parameters<typeof contentOf>[0], v2 = true) => markdownMessages(contentOf(said), 4_096, { v2 })

describe('text', () => {
  test('is title and body', () => {
    expect(textMessages(contentOf({ title: 'T', body: 'M' }))).toEqual([{ msgtype: 'text', text: { content: 'T\nM' } }])
  })

  test('of 2,048 bytes is one, of Chinese as well', () => {
    expect(textMessages(contentOf({ title: '', body: `${'字'.repeat(682)}1` }))).toHaveLength(1)
    expect(textMessages(contentOf({ title: '', body: `${'字'.repeat(682)}12` }))).toHaveLength(2)
  })

  test('has its links behind the last piece only', () => {
    const sent = textMessages(contentOf({ body: 'word '.repeat(1_000), link: LINK, confirmUrl: CONFIRM_URL })).map(
      saidIn,
    )
    expect(sent.length).toBeGreaterThan(1)
    expect(sent.map((text) => text.includes(CONFIRM_URL))).toEqual(sent.map((_, at) => at === sent.length - 1))
  })

  test('leaves out a link that would take half of it, never the one to confirm', () => {
    const link = `https://a.example/?${'q'.repeat(1_000)}`
    const [sent] = textMessages(contentOf({ link, confirmUrl: CONFIRM_URL })).map(saidIn)
    expect(sent).not.toContain('qqq')
    expect(sent).toContain(CONFIRM_URL)
    expect(sent).toContain('nas1')
  })
})

describe('card', () => {
  test('has the title in the colour of the level', () => {
    expect(cards({ title: 'T', body: 'M', level: 'warning' })).toEqual([
      { msgtype: 'markdown', markdown: { content: '**<font color="warning">T</font>**\n\nM' } },
    ])
    expect(saidIn(cards({ level: 'success' })[0])).toContain('color="info"')
    expect(saidIn(cards({ level: 'error' })[0])).toContain('color="warning"')
  })

  test('is a title alone where there is no body', () => {
    expect(saidIn(cards({ title: 'T', body: '' })[0])).toBe('**<font color="info">T</font>**')
  })

  test('has links that Markdown does not break', () => {
    const said = saidIn(cards({ link: 'https://a.example/x_(y)?z=[1]', confirmUrl: CONFIRM_URL })[0])
    expect(said).toMatch(/\n\n\[[^\]]+\]\(https:\/\/a\.example\/x_%28y%29\?z=\[1\]\)\n\n\[[^\]]+\]\(https:\/\/hub\./)
  })

  test('leaves out a link that would take half of it, never the one to confirm', () => {
    const said = saidIn(cards({ link: `https://a.example/?${'q'.repeat(2_100)}`, confirmUrl: CONFIRM_URL })[0])
    expect(said).not.toContain('qqq')
    expect(said).toContain(CONFIRM_URL)
  })

  test('has the mark behind the title of each piece', () => {
    const sent = cards({ title: 'T', body: 'word '.repeat(1_500) }).map(saidIn)
    expect(sent.map((text) => text.split('\n')[0])).toEqual([
      '**<font color="info">T (1/2)</font>**',
      '**<font color="info">T (2/2)</font>**',
    ])
  })

  test('a title that is too long for a heading is in the body in full', () => {
    const title = 'word '.repeat(200).trim()
    const [said = ''] = cards({ title, body: 'M' }).map(saidIn)
    const [heading = '', ...rest] = said.split('\n\n')
    expect(Buffer.byteLength(heading)).toBeLessThan(600)
    expect(heading).toContain('…')
    expect(rest).toEqual([title, 'M'])
  })

  test('of a title of several lines has the first above, and all of them below', () => {
    expect(saidIn(cards({ title: 'a\nb', body: '' })[0])).toMatch(/>a…<.*\n\na\nb$/)
  })

  test('a title cannot end its colour', () => {
    expect(saidIn(cards({ title: '</font>x', body: '' })[0])?.match(/<\/font>/g)).toHaveLength(1)
  })
})

describe('a card with a table or code', () => {
  const table = 'Load\n\n| host | load |\n|---|:-:|\n| nas1 | 7 |'
  const code = 'Log\n\n```\nx = 1\n```'

  test.each([table, code, '| a | b |\n | :--- | ---: |'])('is markdown_v2, which has no colours: %j', (body) => {
    expect(cards({ title: 'T', body })).toEqual([
      { msgtype: 'markdown_v2', markdown_v2: { content: `**T**\n\n${body}` } },
    ])
  })

  test.each(['a\n---\nb', 'a | b', '`code` and ``` in a line', '- a -- b | c'])('is not seen in %j', (body) => {
    expect(cards({ body })[0]?.msgtype).toBe('markdown')
  })

  test('is markdown where v2 is not known', () => {
    expect(cards({ body: table }, false)[0]?.msgtype).toBe('markdown')
  })

  test('is found in 64 KiB at once', () => {
    const started = performance.now()
    for (const body of ['-', '|', '| ', '|-', ' ', '`', ' ```x']) {
      markdownMessages(contentOf({ title: 'T', body: `${body.repeat(65_536 / body.length)}x` }), 4_096, { v2: true })
    }
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('nobody is called', () => {
  test.each([
    ['by the body', { title: 'T', body: mentions }],
    ['by the title', { title: mentions, body: 'M' }],
    ['by a title alone', { title: mentions.repeat(20), body: '' }],
    ['by a link', { link: 'https://a.example/<@all>' }],
  ])('%s', (_, said) => {
    for (const message of [...textMessages(contentOf(said)), ...cards(said)]) {
      expect(saidIn(message)).not.toContain('<@')
      expect(message).not.toHaveProperty('text.mentioned_list')
    }
  })
})
