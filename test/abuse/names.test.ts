/** What a name may be: the same at every door, in the store, and back again. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recipientId } from '../../server/protocol/address.ts'
import { startHub, TOKEN } from '../helpers/hub.ts'
import { GOOD, PUSH } from '../helpers/pushserver.ts'
import { quiet } from './doors.ts'
import { allowed, refused } from './names.ts'
import { exchange, statuses } from './wire.ts'

const config = { http: { waitTimeout: 0 } }
const messageTo = (target: string) => ({ cmd: 'MESSAGE', data: { sendType: 'personal', target, message: {} } })
/** Half a character, which no URL can hold. */
const HALVES = /\p{Cs}/u
/** `system` is the admin's. */
const names = allowed.filter(([, name]) => name !== 'system')

/** CPU ms, the least of five: others run beside it. */
function costOf(work: () => void): number {
  const costs = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return Math.min(...costs)
}

test('a name that is allowed is the same registered, pushed to in three ways, answered, stored and delivered', async () => {
  const hub = await startHub({ config })
  for (const [raw, name] of names) {
    const client = await hub.login(raw)
    const answers = [
      await hub.get(`/${encodeURIComponent(raw.normalize('NFD'))}.send`),
      await hub.post({}, {}, `/${encodeURIComponent(raw)}.send`),
      await hub.post(messageTo(raw)),
    ]
    for (const { json } of answers)
      expect.soft(json, raw).toEqual({ cmd: 'MESSAGE_REPLY', data: { [name]: expect.any(String) } })
    const pushed = await hub.post({ ...GOOD, recipient_alias: raw }, {}, PUSH)
    expect.soft(pushed.json, raw).toMatchObject({ data: { recipient: name } })
    expect.soft((await client.message()).target, raw).toBe(name)
    const { items } = await hub.store.inbox(`${name}@user`, { limit: 9 })
    expect.soft(items.length, raw).toBeGreaterThanOrEqual(4)
    client.socket.terminate()
    await client.closed
  }
  const { items } = await hub.store.scan('recipient', { limit: 1_000 })
  expect(items.map(({ id }) => id).toSorted()).toEqual([...new Set(names.map(([, name]) => `${name}@user`))].toSorted())
}, 30_000)

test('a name that is not allowed is refused by all doors, and nobody has it', async () => {
  const hub = await startHub({ config })
  for (const [n, [why, raw]] of refused.filter(([, name]) => name.length < 1_000).entries()) {
    const url = encodeURIComponent(HALVES.test(raw) ? '/' : raw)
    const answers = [
      await hub.get(`/${url}.send`),
      await hub.post({}, {}, `/${url}.send`),
      await hub.post(messageTo(raw)),
      await hub.post({ cmd: 'AUTH', data: { token: TOKEN, name: raw } }),
      await hub.post({ ...GOOD, recipient_alias: raw }, {}, PUSH),
    ]
    expect
      .soft(
        answers.map(({ status }) => status),
        why,
      )
      .toEqual([400, 400, 400, 400, 400])
    const sender = await hub.login(`sender-${n}`)
    for (const packet of [messageTo(raw), { cmd: 'AUTH', data: { token: TOKEN, name: raw } }]) {
      sender.socket.send(JSON.stringify(packet))
      expect.soft(await sender.next('INFO'), why).toMatchObject({ data: expect.stringMatching(/^(name|target) /) })
    }
  }
  const { items } = await hub.store.scan('recipient', { limit: 1_000 })
  expect(items.filter(({ id }) => !id.startsWith('sender-'))).toEqual([])
})

describe('the path of a push', () => {
  test.each<readonly [string, number]>([
    ['/me.send', 200],
    ['/dev.group', 200],
    ['/a.b.send', 200],
    ['/a.send.group', 200],
    ['/%6d%65.send', 200],
    ['/me.send?', 200],
    ['/me.send?text', 200],
    ['/me.send?text=%', 200],
    ['/me.send?%ff=%00', 200],
    ['/me.send?=', 200],
    ['/me.send?&&&', 200],
    ['/me.send#x', 404],
    ['http://x/me.send', 200],
    ['HTTPS://user:secret@x:1/me.send?text=x', 200],
    ['http://x?text=x', 404],
    ['http://[::1', 404],
    ['http://a:b/me.send', 200],
    ['ftp://x/me.send', 400],
    ['//me.send', 400],
    ['/x/me.send', 400],
    ['/../me.send', 400],
    ['/me%2F.send', 400],
    ['/%.send', 400],
    ['/%E4.send', 400],
    ['/%ff.send', 400],
    ['/%c0%80.send', 400],
    ['/%ed%a0%80.send', 400],
    ['/%00.send', 400],
    ['/%0a.send', 400],
    ['/%e2%80%ae.send', 400],
    ['/\x80.send', 400],
    ['/\xe9.send', 400],
    ['/.send', 400],
    ['/.group', 400],
    ['/.%73end', 404],
    ['/me.SEND', 404],
    ['/me.send/', 404],
    ['/me.send;x=1', 404],
    ['/me.send\\', 404],
    ['/me.sendx', 404],
    ['/victim.sendXYZ', 404],
    ['/me.', 404],
    ['/me', 404],
    ['*', 404],
    ['me.send', 400],
    ['/__proto__.send', 400],
    ['/hasOwnProperty.send', 200],
    ['/system.send', 403],
    ['/me.send?token=x', 400],
    ['/me.send?text=x&token', 400],
    ['/me.send?Token=x', 200],
    ['/me.send?__proto__=x', 400],
    ['/me.send?constructor', 400],
  ])('%s: %i', async (path, status) => {
    const hub = await startHub(quiet)
    const head = `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
    expect(statuses(await exchange(hub, Buffer.from(head, 'latin1')))).toEqual([status])
  })
})

describe('what takes long to read costs little', () => {
  const marks = `a${'\u0301\u0316'.repeat(15_000)}`

  test.each<readonly [string, () => void, number]>([
    ['30,000 marks that want to be put in order', () => expect(() => recipientId(marks)).toThrow('is longer than'), 10],
    ['a megabyte', () => expect(() => recipientId('a'.repeat(1_000_000))).toThrow('is longer than'), 10],
    [
      '64 letters of three marks each',
      () => expect(() => recipientId('a\u0323\u0302\u0301'.repeat(64))).toThrow('is longer than'),
      10,
    ],
  ])('%s', (_, work, ms) => {
    expect(costOf(work)).toBeLessThan(ms)
  })

  test.each<readonly [string, string]>([
    ['8 KiB of /.', '/.'.repeat(4_096)],
    ['8 KiB of .send/', `/${'.send/'.repeat(1_365)}`],
    ['8 KiB of %2', `/${'%2'.repeat(4_096)}.send`],
    ['8 KiB of /confirm/', '/confirm/'.repeat(910)],
    ['8 KiB of /api/v1/', '/api/v1/'.repeat(1_024)],
    ['8 KiB of &', `/me.send?${'&'.repeat(8_192)}`],
    ['8 KiB of Bearer', `/me.send?${'bearer '.repeat(1_170).replaceAll(' ', '%20')}`],
  ])('%s: 50 of it cost less than 5 ms each', async (_, path) => {
    const hub = await startHub(quiet)
    const requests = `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(49)
    const before = process.cpuUsage()
    await exchange(hub, requests, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000 / 50).toBeLessThan(5)
  })
})

test('any text is one recipient for all doors, or for none', async () => {
  const hub = await startHub({ config })
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('@', 'user', '.', '/', 'e\u0301', '\u200d', '%'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 6,
  })
  for (const raw of fc.sample(text, { seed: 53, numRuns: 100 })) {
    if (HALVES.test(raw)) continue
    const byPacket = await hub.post(messageTo(raw))
    const byUrl = await hub.get(`/${encodeURIComponent(raw)}.send`)
    expect.soft([byUrl.status, byUrl.text], JSON.stringify(raw)).toEqual([byPacket.status, byPacket.text])
  }
})
