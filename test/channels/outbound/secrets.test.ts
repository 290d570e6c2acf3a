import { describe, expect, test } from 'vitest'
import { fingerprint, scrubbed, secretsOfUrl } from '../../../server/channels/outbound/secrets.ts'

const TOKEN = 'canary/7+ü"k'
const failed = (detail: string, answer?: string) =>
  ({ kind: 'failed', detail, ...(answer === undefined ? {} : { answer }) }) as const

describe('a fingerprint', () => {
  test('is the same for the same, and tells nothing', () => {
    expect(fingerprint('a', 'b')).toBe(fingerprint('a', 'b'))
    expect(fingerprint('canary')).toMatch(/^(?!canary)[0-9a-f]{12}$/)
  })

  test('is another for another', () => {
    const all = [fingerprint('a', 'b'), fingerprint('b', 'a'), fingerprint('ab'), fingerprint('a'), fingerprint('')]
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('an outcome', () => {
  test('without words stays as it is', () => {
    expect(scrubbed({ kind: 'delivered' }, [TOKEN])).toEqual({ kind: 'delivered' })
    expect(scrubbed(failed('9499 bad'), [TOKEN])).toEqual(failed('9499 bad'))
  })

  test.each([
    ['as it is', TOKEN],
    ['in a URL', encodeURIComponent(TOKEN)],
    ['in JSON', JSON.stringify(TOKEN).slice(1, -1)],
    ['in JSON of PHP', JSON.stringify(TOKEN).slice(1, -1).replaceAll('/', '\\/')],
  ])('holds no secret: %s', (_, spelling) => {
    expect(scrubbed(failed(`a ${spelling} b`, `${spelling}${spelling}`), [TOKEN])).toEqual(
      failed('a [secret] b', '[secret][secret]'),
    )
    expect(scrubbed({ kind: 'accepted', detail: spelling }, [TOKEN])).toEqual({ kind: 'accepted', detail: '[secret]' })
  })

  test('holds none that is part of another', () => {
    const url = 'https://a.test/hook/token1'
    for (const secrets of [
      ['token1', url],
      [url, 'token1'],
    ]) {
      expect(scrubbed(failed(`to ${url} or token1`), secrets)).toEqual(failed('to [secret] or [secret]'))
    }
  })

  test('holds no part of one that is cut off with the rest', () => {
    for (let before = 280; before < 310; before += 1) {
      const text = `${'x'.repeat(before)}topsecret`
      expect(scrubbed(failed(text), ['topsecret']).detail).not.toContain('top')
    }
    for (let before = 1_005; before < 1_030; before += 1) {
      const text = `${'x'.repeat(before)}topsecret`
      expect(scrubbed(failed('', text), ['topsecret']).answer).not.toContain('top')
    }
  })

  test('keeps what is worth keeping, in whole characters', () => {
    const { detail, answer } = scrubbed(failed('😀'.repeat(500), `x${'😀'.repeat(5_000)}`), [])
    expect(detail).toBe('😀'.repeat(150))
    expect(answer).toBe(`x${'😀'.repeat(511)}`)
  })

  test('is not garbled for a secret of next to nothing', () => {
    expect(scrubbed(failed('an error'), ['', 'e', 'err'])).toEqual(failed('an error'))
  })
})

describe('secrets of a URL', () => {
  test('are all of it, what is behind its host, and its long words', () => {
    const url = 'https://hooks.a.test/services/T012AB3CD/canaryCanaryCanaryCanary'
    expect(secretsOfUrl(url)).toEqual([url, '/services/T012AB3CD/canaryCanaryCanaryCanary', 'canaryCanaryCanaryCanary'])
  })

  test('are values of its query as they stand there, and as they are read', () => {
    const url = 'https://a.test/run?v=1.0&sig=abcdefghijkl%2Bmnop%3D'
    expect(secretsOfUrl(url)).toEqual([
      url,
      '/run?v=1.0&sig=abcdefghijkl%2Bmnop%3D',
      'abcdefghijkl%2Bmnop%3D',
      'abcdefghijkl+mnop=',
    ])
  })

  test('of a host alone are all there is', () => {
    expect(secretsOfUrl('https://a.test/')).toEqual(['https://a.test/'])
  })
})
