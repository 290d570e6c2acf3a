import { afterEach, beforeEach, expect, test } from 'vitest'
import { whyNoDiskErrors } from './disk-errors.ts'
import { receiveAll, Scene, TOKEN } from './scene.ts'

const MIB = 1024 ** 2
/** each fills a file of its own in a checkpoint */
const LARGE = 'x'.repeat(MIB)
const COUNT = 14
/** flushes that are not slow, so that the test is not: a start takes some, and each message one */
const QUICK = COUNT
const SLOW_MS = 350

const whyNot = whyNoDiskErrors()
const unless = whyNot === null ? '' : ` (left out: ${whyNot})`

let scene: Scene
beforeEach(async () => void (scene = await Scene.make({ http: { maxBody: 2 * MIB } })))
afterEach(() => scene.remove())

test.skipIf(whyNot !== null)(
  `a hub with much to write on a slow disk stops in time, and the next has it all${unless}`,
  async () => {
    const inject = `inject=fdatasync:delay_enter=${SLOW_MS * 1_000}:when=${QUICK}+`
    const command = ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', inject] as const
    const data = scene.folder()
    const hub = await scene.start(data, { command: [...command, process.execPath], env: { UV_THREADPOOL_SIZE: '1' } })
    const texts = Array.from({ length: COUNT }, (_, n) => `large-${n}`)
    for (const status of await Promise.all(texts.map((text) => pushLarge(hub.url, text)))) expect(status).toBe(200)

    const began = performance.now()
    expect(await hub.stop(), hub.output().slice(-500)).toBe(0)
    expect(performance.now() - began).toBeLessThan(5_000)

    const again = await scene.start(data)
    expect((await receiveAll(again.url)).toSorted()).toEqual(texts.toSorted())
    await again.stop()
  },
)

async function pushLarge(url: string, text: string): Promise<number> {
  const message = { cmd: 'MESSAGE', data: { sendType: 'personal', target: 'absent', message: { text, desp: LARGE } } }
  const headers = { authorization: TOKEN, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(message) })
  await response.text()
  return response.status
}
