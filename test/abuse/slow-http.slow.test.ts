/** Clients that take their time, by the hundred: they are ended, and nobody else waits. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { during, type Program, PROGRAM_TOKEN, startProgram } from './program.ts'
import { exchange, statuses } from './wire.ts'

const CONFIG = 'http: {waitTimeout: 500}\nserver: {read_timeout: 1, write_timeout: 2}\nclients: [{name: ops}]'

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['-h'], { stdio: 'ignore' })
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}

/** Opens its connections within a second, and none of them again; ends with the test. */
function slowhttptest(args: readonly string[], connections: number, url: string): void {
  const usual = ['-c', String(connections), '-r', String(connections), '-l', '60', '-u', url]
  const child = spawn('slowhttptest', [...args, ...usual], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
}

/** A thousand notifications: a list of them is 2 MB, more than the system takes at once. */
async function fill(program: Program): Promise<void> {
  const content = { title: 'x'.repeat(200), msg: 'x'.repeat(1_400) }
  const body = JSON.stringify({ recipient_alias: 'ops', type: 'info', style: 'text', platform: 'system', content })
  const headers = { 'content-type': 'application/json', authorization: PROGRAM_TOKEN }
  for (let n = 0; n < 20; n += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const answer = await fetch(`${program.url}/api/v1/push`, { method: 'POST', headers, body })
        expect(answer.status, await answer.text()).toBe(200)
      }),
    )
  }
}

const LIST = '/api/v1/notifications?limit=1000'

test
  .runIf(process.platform === 'linux' && isThere('slowhttptest'))
  .each<readonly [string, number, readonly string[], string]>([
    ['slow headers', 200, ['-H', '-i', '1'], '/me.send'],
    ['slow bodies', 200, ['-B', '-i', '1', '-s', '8192', '-f', 'application/json'], '/'],
    ['slow readers', 8, ['-X', '-w', '512', '-y', '1024', '-n', '1', '-z', '32'], LIST],
  ])('%s (%i of slowhttptest, where it is installed)', async (_, connections, args, path) => {
  const program = await startProgram(CONFIG)
  if (path === LIST) await fill(program)
  const { p99, bearable, grew } = await during(program, async () => {
    const before = program.files()
    const open = () => program.files() - before
    slowhttptest(args, connections, program.url + path)
    await expect.poll(open, { timeout: 10_000, interval: 20 }).toBeGreaterThan(connections * 0.7)
    await expect.poll(open, { timeout: 15_000, interval: 20 }).toBeLessThan(connections * 0.3)
  })
  expect(p99).toBeLessThan(bearable)
  expect(grew).toBeLessThan(128)
})

test.runIf(process.platform === 'linux')('what does not come to its end is answered 408', async () => {
  const program = await startProgram(CONFIG)
  const post = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  const halves = new Map([
    ['a request line', 'GET /me.se'],
    ['headers', 'GET /me.send HTTP/1.1\r\nhost: x\r\nx: '],
    ['a body', `${post}content-length: 9\r\n\r\n{`],
    ['chunks', `${post}transfer-encoding: chunked\r\n\r\n5\r\n{`],
    ['nothing at all', ''],
  ])
  await Promise.all(
    [...halves].map(async ([what, bytes]) => expect(statuses(await exchange(program, bytes)), what).toEqual([408])),
  )
})
