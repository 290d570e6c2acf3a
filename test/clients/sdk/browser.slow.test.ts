/** The compiled SDK in a real browser, as a page loads it: module by module, from another origin than the hub's. */
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { noChromium, openPage, servePages } from '../../helpers/chromium.ts'
import { startHub, TOKEN } from '../../helpers/hub.ts'
import { joined } from './stage.ts'

const page = `<!doctype html><meta charset="utf-8"><script type="module">
import { connect, createMemory, createSender } from '/dist/clients/sdk/index.js'

const { hub, token } = Object.fromEntries(new URLSearchParams(location.search))
const report = (what) => fetch('/report', { method: 'POST', body: JSON.stringify(what) })
addEventListener('error', ({ message }) => report({ message }))
addEventListener('unhandledrejection', ({ reason }) => report({ message: String(reason) }))

const me = connect(hub, { name: 'page', token, memory: createMemory({ storage: localStorage }), confirms: true })
me.onMessage(({ text }) => report({ got: text }))
me.on('acked', () => report({ stored: localStorage.carillon }))
me.on('state', ({ status }) => {
  report({ status })
  // as if the cable was plugged in again
  if (status === 'waiting') dispatchEvent(new Event('online'))
})
await me.ready()
const sender = createSender(hub, { token })
report({
  socket: await me.push({ to: 'friend', text: '你好' }),
  http: await sender.push({ to: 'friend', text: 'http' }, { retryForMs: 1000 }),
  refused: await sender.push({ to: 'system' }).catch(({ code, status }) => ({ code, status })),
})
</script>`

const told = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const schema = z.object(shape)
  return (report: unknown): report is z.infer<typeof schema> => schema.safeParse(report).success
}
const receipt = z.object({ mid: z.string(), states: z.record(z.string(), z.string()) })

test.skipIf(noChromium)(`Chromium receives, acks, pushes, is refused, and comes back${noChromium}`, async () => {
  const hub = await startHub()
  const friend = await joined(hub.url, 'friend')
  const texts: string[] = []
  friend.onMessage(({ text, from }) => void texts.push(`${from.name}: ${text}`))
  const pages = await servePages({ '/page': page })
  onTestFinished(() => pages.close())
  onTestFinished(await openPage(`${pages.url}/page?${new URLSearchParams({ hub: hub.url, token: TOKEN }).toString()}`))

  const { socket, http, refused } = await pages.reported(told({ socket: receipt, http: receipt, refused: z.unknown() }))
  expect([socket.states, http.states, refused]).toEqual([
    { friend: 'ok' },
    { friend: 'ok' },
    { code: 'not-allowed', status: 403 },
  ])
  expect(http.mid).toMatch(/^\d{13}$/)
  expect(texts).toEqual(['page: 你好', ': http'])

  const push = await hub.get('/page.send?text=hello')
  expect(push.json).toMatchObject({ data: { page: 'ok' } })
  await pages.reported(told({ got: z.literal('hello') }))
  await pages.reported(told({ stored: z.literal(push.headers.get('x-message-id') ?? '') }))

  await hub.close()
  await pages.reported(told({ status: z.literal('waiting') }))
  const again = await startHub({ store: hub.store, config: { http: { port: Number(new URL(hub.url).port) } } })
  expect((await again.get('/page.send?text=again')).json).toMatchObject({
    data: { page: expect.stringMatching(/^(ok|ready)$/) },
  })
  await pages.reported(told({ got: z.literal('again') }))
  expect(pages.reports.filter(told({ message: z.string() }))).toEqual([])
})
