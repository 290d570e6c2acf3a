/** Pages that want to connect in the name of whoever looks at them. */
import { describe, expect, test } from 'vitest'
import { upgrade } from '../helpers/client.ts'
import { startHub, TOKEN } from '../helpers/hub.ts'

describe('with cors on a page from anywhere may connect; its token is what counts', () => {
  test.each(['https://evil.example', 'null', 'file://', ''])('%j', async (origin) => {
    const hub = await startHub()
    const client = await hub.connect('', { origin })
    client.send('AUTH', { token: 'wrong', name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 403 } })
    client.send('AUTH', { token: TOKEN, name: 'me' })
    expect(await client.next('AUTH')).toMatchObject({ data: { code: 200 } })
  })
})

/** HOST stands for what the hub is called by. */
describe("with cors off only the hub's own pages and programs may", () => {
  test.each<readonly [string | undefined, string, 'open' | 403]>([
    [undefined, 'HOST', 'open'],
    ['http://HOST', 'HOST', 'open'],
    ['https://hub.example', 'hub.example', 'open'],
    ['https://hub.example', 'HUB.example', 'open'],
    ['https://HUB.EXAMPLE', 'hub.example', 'open'],
    ['https://hub.example:443', 'hub.example', 'open'],
    ['https://hub.example:8443', 'hub.example:8443', 'open'],
    ['https://evil.example', 'HOST', 403],
    ['https://hub.example.evil.example', 'hub.example', 403],
    ['https://evil-hub.example', 'hub.example', 403],
    ['https://hub.example@evil.example', 'hub.example', 403],
    ['https://evil.example/hub.example', 'hub.example', 403],
    ['https://evil.example?hub.example', 'hub.example', 403],
    ['https://evil.example#hub.example', 'hub.example', 403],
    ['https://hub.example.', 'hub.example', 403],
    ['https://hub.example:1', 'hub.example', 403],
    ['http://127.0.0.1:1', 'HOST', 403],
    ['http://localhost', 'HOST', 403],
    ['null', 'HOST', 403],
    ['', 'HOST', 403],
    ['file://', 'HOST', 403],
    ['x', 'HOST', 403],
    ['https://hub.example, https://evil.example', 'hub.example', 403],
  ])('origin %s to host %s: %s', async (origin, host, expected) => {
    const hub = await startHub({ config: { http: { cors: false } } })
    const own = (text: string) => text.replace('HOST', new URL(hub.url).host)
    const headers = { host: own(host), ...(origin === undefined ? {} : { origin: own(origin) }) }
    expect(await upgrade(hub.wsUrl, headers)).toBe(expected)
  })

  test('a page elsewhere is told nothing by HTTP either', async () => {
    const hub = await startHub({ config: { http: { cors: false } } })
    const origin = 'https://evil.example'
    const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }
    for (const path of ['/', '/me.send', '/api/v1/push', '/api/v2/dead-letters']) {
      const answer = await hub.request(path, preflight)
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
    }
  })
})

test('no answer lets a page send what the browser keeps for the hub', async () => {
  const hub = await startHub()
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    const answer = await hub.request('/me.send', { method, headers: { origin: 'https://evil.example' } })
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
    expect(answer.headers.has('set-cookie')).toBe(false)
  }
})
