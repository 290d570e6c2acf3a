import { beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { ADMIN_TOKEN, startHub, type TestHub, TOKEN } from '../../helpers/hub.ts'
import { startReceiver, status, type Receiver } from '../../helpers/receiver.ts'

const PATH = '/api/v2/dead-letters'
const pageSchema = z.object({
  items: z.array(z.looseObject({ mid: z.string(), recipient: z.string() })),
  next: z.string().nullable(),
})

let vendor: Receiver
let hub: TestHub
beforeEach(async () => {
  vendor = await startReceiver(status(410))
  hub = await startHub({
    config: {
      recipients: { ops: { name: 'Ops', platforms: { webhook: { webhooks: [{ url: vendor.url, name: 'jobs' }] } } } },
    },
  })
  return () => vendor.close()
})

const list = async (query = '', token = TOKEN) => {
  const { json } = await hub.get(PATH + query, { authorization: token })
  return pageSchema.parse(json)
}
const push = (text: string) => hub.get(`/ops.send?text=${text}&type=error`, { authorization: TOKEN })
const resend = (mid: string, recipient = 'ops', token = TOKEN) =>
  hub.request(`${PATH}/${mid}/${recipient}/resend`, { method: 'POST', headers: { authorization: token } })

describe('dead letters', () => {
  test('are what nothing took, newest first, with what was tried', async () => {
    await push('one')
    await push('two')
    const { items, next } = await list()
    expect(next).toBeNull()
    expect(items).toMatchObject([
      { recipient: 'ops', message: { text: 'two', extra: { type: 'error' } } },
      {
        recipient: 'ops',
        reason: 'exhausted',
        strategy: null,
        message: { text: 'one' },
        attempts: [{ channel: 'webhook', outcome: 'failed', detail: 'HTTP 410', maybe_duplicate: false }],
      },
    ])
    expect(JSON.stringify(items)).not.toContain(vendor.url)
  })

  test('come in pages', async () => {
    for (const text of ['1', '2', '3']) await push(text)
    const first = await list('?limit=2')
    const rest = await list(`?limit=2&before=${first.next}`)
    expect([...first.items, ...rest.items].map(({ message }) => message)).toMatchObject([
      { text: '3' },
      { text: '2' },
      { text: '1' },
    ])
  })

  test('sent again are new messages, and off the list', async () => {
    await push('again')
    const [letter] = (await list()).items
    vendor.answer = status(200)
    const answer = await resend(letter?.mid ?? '')
    expect(answer.status).toBe(202)
    const { mid } = z.object({ mid: z.string() }).parse(answer.json)
    expect(mid > (letter?.mid ?? '')).toBe(true)
    expect(JSON.parse((await vendor.received(2)).body)).toMatchObject({
      data: { mid, target: 'ops', message: { text: 'again', desp: '', extra: { type: 'error' } } },
    })
    expect((await list()).items).toEqual([])
    expect(await hub.store.delivery(letter?.mid ?? '', 'ops@user')).toMatchObject({
      state: 'removed',
      reason: 'resent',
    })
    expect((await resend(letter?.mid ?? '')).status).toBe(404)
  })

  test('that fail again are on the list again', async () => {
    await push('again')
    const [letter] = (await list()).items
    const { mid } = z.object({ mid: z.string() }).parse((await resend(letter?.mid ?? '')).json)
    await expect.poll(async () => (await list()).items.map((item) => item.mid)).toEqual([mid])
  })

  test('are for the operator: a token is needed even on an open hub, and a client’s is not enough', async () => {
    const anna = await hub.login('anna')
    const refused: [Record<string, string>, number, string][] = [
      [{}, 401, 'need-token'],
      [{ authorization: 'wrong' }, 401, 'need-token'],
      [{ authorization: anna.auth }, 403, 'not-allowed'],
    ]
    for (const [headers, code, title] of refused) {
      const answer = await hub.get(PATH, headers)
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      expect([answer.status, answer.json]).toMatchObject([code, { status: code, title, type: `urn:carillon:${title}` }])
    }
    expect((await list('', ADMIN_TOKEN)).items).toEqual([])
  })

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=x', 'limit'],
    ['?before=yesterday', 'before'],
  ])('%s is refused and named', async (query, name) => {
    const answer = await hub.get(PATH + query, { authorization: TOKEN })
    expect([answer.status, answer.json]).toMatchObject([400, { detail: expect.stringContaining(name) }])
  })

  test.each([
    ['1800000000000', 'ops'],
    ['nonsense', 'ops'],
    ['1800000000000', 'nobody'],
  ])('there is none of %s for %s', async (mid, recipient) => {
    expect((await resend(mid, recipient)).status).toBe(404)
  })
})
