import { expect, test } from 'vitest'
import { secretsOfUrl } from '../../server/channels/url-secrets.ts'

test('the URL, what is behind its host, and its long words', () => {
  const url = 'https://hooks.a.test/services/T012AB3CD/canaryCanaryCanaryCanary'
  expect(secretsOfUrl(url)).toEqual([url, '/services/T012AB3CD/canaryCanaryCanaryCanary', 'canaryCanaryCanaryCanary'])
})

test('values of its query as they stand there, and as they are read', () => {
  const url = 'https://a.test/run?v=1.0&sig=abcdefghijkl%2Bmnop%3D'
  expect(secretsOfUrl(url)).toEqual([
    url,
    '/run?v=1.0&sig=abcdefghijkl%2Bmnop%3D',
    'abcdefghijkl%2Bmnop%3D',
    'abcdefghijkl+mnop=',
  ])
})

test('a URL of a host alone is all there is', () => {
  expect(secretsOfUrl('https://a.test/')).toEqual(['https://a.test/'])
})
