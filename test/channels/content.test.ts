import { describe, expect, test } from 'vitest'
import { LEVELS, looks, plainText } from '../../server/channels/content.ts'
import { contentOf } from '../../server/hub/content.ts'
import type { Message } from '../../server/store/store.ts'

function content(text: string, desp: string, extra: Record<string, unknown> = {}, confirmUrl: string | null = null) {
  const message: Message = {
    mid: '1800000000000',
    at: 7,
    from: { method: 'http', name: '' },
    to: ['ops@user'],
    body: { text, desp, extra },
    blobs: [],
    strategy: null,
    expiresAt: null,
  }
  return contentOf(message, 'Operations', confirmUrl)
}

describe('a message as channels render it', () => {
  test('has text as its title, desp as its body, and the rest from extra', () => {
    expect(content('t', 'b', { type: 'error', style: 'card', url: 'https://a.test/x' })).toMatchObject({
      title: 't',
      body: 'b',
      level: 'error',
      style: 'card',
      link: 'https://a.test/x',
      recipient: 'Operations',
      at: 7,
    })
  })

  test('is an info in plain text where extra says nothing of use', () => {
    for (const extra of [{}, { type: 'loud', style: 'big', url: 'javascript:alert(1)' }, { type: 1, url: 'http://' }]) {
      expect(content('t', 'b', extra)).toMatchObject({ level: 'info', style: 'text', link: null })
    }
  })

  test('without a text its desp is the title', () => {
    expect(content('', 'only')).toMatchObject({ title: 'only', body: '' })
    expect(plainText(content('', 'only'))).toBe('only')
    expect(plainText(content('t', 'b'))).toBe('t\nb')
  })

  test('leads to its own link, then to where it is confirmed', () => {
    expect(content('t', 'b', { url: 'https://a.test/' }, 'https://hub.test/confirm/x')).toMatchObject({
      link: 'https://a.test/',
      confirmUrl: 'https://hub.test/confirm/x',
    })
    expect(content('t', 'b')).toMatchObject({ link: null, confirmUrl: null })
  })
})

test('every level looks its own way', () => {
  for (const part of ['emoji', 'color', 'feishu', 'adaptive'] as const) {
    expect(new Set(LEVELS.map((level) => looks[level][part])).size).toBe(LEVELS.length)
  }
})
