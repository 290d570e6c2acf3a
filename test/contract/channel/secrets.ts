/** Whatever the vendor says back, no secret is in what is stored, logged or answered. */
import { expect, test } from 'vitest'
import { closedPort, type Received } from '../../helpers/receiver.ts'
import type { VendorAnswer } from '../../helpers/vendor.ts'
import type { Bench, ChannelUnderTest } from './bench.ts'
import { contentOf } from './content.ts'

export function testSecrets(subject: ChannelUnderTest, bench: Bench): void {
  const echoes: readonly [string, (echo: string) => VendorAnswer][] = [
    ['400 as it came', (body) => ({ status: 400, body })],
    ['200 as it came', (body) => ({ status: 200, body })],
    ['500 as it came', (body) => ({ status: 500, body })],
    ['400 escaped', (echo) => ({ status: 400, body: JSON.stringify({ echo }).replaceAll('/', '\\/') })],
    ...subject.responses.map(({ name, answer }): (typeof echoes)[number] => [
      `each word of: ${name}`,
      (echo) => ({ ...answer, body: withEcho(answer.body, echo) }),
    ]),
  ]

  test('there are some', () => {
    expect(subject.secrets.every((secret) => secret.length >= 4)).toBe(true)
  })

  test.each(echoes)('are not repeated where the vendor repeats the request: %s', async (_, answer) => {
    const content = contentOf({ title: 'T', body: 'B' })
    bench.vendor.answer = (request) => answer(echoOf(request))
    const outcome = await bench.send(content)
    expect(bench.vendor.messages.length).toBeGreaterThan(0)
    const said = unpacked(JSON.stringify(outcome) + bench.logged())
    for (const secret of subject.secrets) {
      for (const spelling of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
        expect(said).not.toContain(spelling)
      }
    }
  })

  test('are not in the server that it names, which is where its messages go', () => {
    expect(bench.endpoint('https://vendor.example.com:8443').server).toBe('https://vendor.example.com:8443')
  })

  test('are not in what is said where nobody is there', async () => {
    const endpoint = bench.endpoint(`http://127.0.0.1:${await closedPort()}`)
    const outcome = await bench.send(contentOf(), { endpoint })
    for (const secret of subject.secrets) expect(JSON.stringify(outcome) + bench.logged()).not.toContain(secret)
  })
}

/** Everything that came, in 1,024 characters where it is cut off. */
function echoOf({ method, url, headers, body }: Received): string {
  return `${method} http://${headers.host}${url} ${decodeURIComponent(url)} ${JSON.stringify(headers)} ${body}`
}

/** With whatever is base64 in it read as well, such as the credentials of Basic authentication. */
function unpacked(text: string): string {
  const packed = text.match(/[A-Za-z0-9+/_-]{8,}={0,2}/g) ?? []
  return [text, ...packed.map((part) => Buffer.from(part, 'base64').toString())].join('\n')
}

/** A JSON answer with the echo behind each of its texts; any other with the echo behind it. */
function withEcho(body: string, echo: string): string {
  try {
    return JSON.stringify(JSON.parse(body, (_, value) => (typeof value === 'string' ? `${value} ${echo}` : value)))
  } catch {
    return `${body} ${echo}`
  }
}
