/** `carillon doctor` beside a hub's real surroundings: what is right, and what it finds when it is not. */
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../helpers/certificate.ts'
import { startProcess } from '../helpers/process.ts'
import { carillon, type Ended, runProgram } from '../helpers/program.ts'

const STRONG = 'a-token-of-16-characters-or-more'
const TMPFS = 0x0102_1994
let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'carillon-doctor-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

function config(text: string): void {
  writeFileSync(join(cwd, 'config.yaml'), text, { mode: 0o600 })
}

function doctor(...args: string[]): Promise<Ended> {
  return runProgram(['doctor', ...args], { cwd, env: {}, program: carillon })
}

/** What it found of this, without the columns. */
function found({ out }: Ended, level: string, about: string): string[] {
  const start = `${level.padEnd(8)}${about}: `
  return out.split('\n').flatMap((line) => (line.startsWith(start) ? [line.slice(start.length)] : []))
}

async function listening(server: Server): Promise<number> {
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('a hub that is not started yet, with nothing amiss', async () => {
  config(`token: ${STRONG}\nhttp: {host: 127.0.0.1, port: 0}\n`)
  const ended = await doctor()
  expect(ended.code).toBe(0)
  expect(found(ended, 'ok', 'config')).toEqual(['config.yaml'])
  expect(found(ended, 'ok', 'token')).toEqual(['long enough'])
  expect(found(ended, 'ok', 'data')).toEqual(['./data is made at the first start'])
  expect(found(ended, 'ok', 'flush')).toEqual([
    expect.stringMatching(/^a flush takes \d+\.\d ms, at worst \d+\.\d ms$/),
  ])
  expect(found(ended, 'ok', 'port')).toEqual(['127.0.0.1, port 0 is free'])
  expect(ended.out).not.toContain(STRONG)
})

test('mistakes of the config are told, and nothing else can be', async () => {
  config('http: {prot: 1}\n')
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(ended.out).toContain('http.prot')
  expect(ended.out).not.toContain('flush')
})

test('a weak token, also where only this machine can reach the hub', async () => {
  config('token: test\nhttp: {host: 127.0.0.1, port: 0}\n')
  const ended = await doctor()
  expect(ended.code).toBe(0)
  expect(found(ended, 'warning', 'token')).toEqual(['can be guessed: use 16 random characters or more'])
})

test('a data folder that others can read, and a clock that was set back', async () => {
  config(`token: ${STRONG}\nhttp: {host: 127.0.0.1, port: 0}\n`)
  const file = join(cwd, 'data/journal-1.log')
  mkdirSync(join(cwd, 'data'), { mode: 0o700 })
  writeFileSync(file, '', { mode: 0o600 })
  chmodSync(file, 0o644)
  const later = Date.now() / 1_000 + 3_600
  utimesSync(file, later, later)
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(found(ended, 'warning', 'data')).toEqual(['other users can read data/journal-1.log: chmod -R go= ./data'])
  expect(found(ended, 'fault', 'clock')).toEqual([expect.stringMatching(/^it is 3[56]\d\d s behind the newest file/)])
})

const inMemory = statfsSync('/dev/shm').type === TMPFS
test.skipIf(!inMemory)('a data folder in memory', async () => {
  const folder = mkdtempSync('/dev/shm/carillon-doctor-')
  onTestFinished(() => rmSync(folder, { recursive: true }))
  config(`token: ${STRONG}\nhttp: {host: 127.0.0.1, port: 0}\ndata: ${folder}\n`)
  const ended = await doctor()
  expect(found(ended, 'warning', 'disk').join()).toContain('a file system in memory')
})

test('a port that another program has', async () => {
  const port = await listening(createServer((socket) => socket.end()))
  config(`token: ${STRONG}\nhttp: {host: 127.0.0.1, port: ${port}}\n`)
  const ended = await doctor()
  expect(ended.code).toBe(1)
  expect(found(ended, 'fault', 'port')).toEqual([`127.0.0.1, port ${port}: EADDRINUSE`])
})

test('a port that a hub has, which runs on the same folder', async () => {
  config(`token: ${STRONG}\nhttp: {host: 127.0.0.1, port: 0}\n`)
  const hub = await startProcess([], {}, cwd)
  onTestFinished(() => void hub.stop())
  const ended = await doctor('--port', String(hub.port))
  expect(ended.code).toBe(0)
  expect(found(ended, 'ok', 'port')).toEqual([
    expect.stringMatching(/^a hub runs on port \d+, version \S+, and is well$/),
  ])
  expect(found(ended, 'ok', 'data')).toEqual(['./data is closed to other users'])
})

test('the servers of channels: reached without a word, refused, and with a certificate that is not valid', async () => {
  const heard: Buffer[] = []
  const open = await listening(createServer((socket) => void socket.on('data', (data) => heard.push(data))))
  const closed = createServer()
  const none = await listening(closed)
  closed.close()
  await once(closed, 'close')
  const secure = await listening(createTlsServer(selfSigned))
  const robot = (url: string) => `{webhooks: [{url: "${url}/hook?key=0123456789abcdef"}]}`
  config(`token: ${STRONG}
http: {host: 127.0.0.1, port: 0}
recipients:
  ops:
    platforms:
      wechat: ${robot(`http://127.0.0.1:${open}`)}
      feishu: ${robot(`http://127.0.0.1:${open}`)}
      dingtalk: ${robot(`http://127.0.0.1:${none}`)}
      teams: ${robot(`https://127.0.0.1:${secure}`)}
      email: {smtp: {host: 127.0.0.1, port: ${open}, from: a@b.test}, recipients: [{email: c@d.test}]}
`)
  const ended = await doctor('--json')
  expect(ended.code).toBe(1)
  const findings = ended.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const about = (name: string) => findings.filter((finding) => finding.about === name)
  expect(about('wechat, feishu')).toEqual([
    { about: 'wechat, feishu', level: 'ok', text: expect.stringContaining(`http://127.0.0.1:${open} answers in`) },
  ])
  expect(about('email')[0]).toMatchObject({ level: 'ok' })
  expect(about('dingtalk')[0].text).toBe(`http://127.0.0.1:${none} cannot be reached: ECONNREFUSED`)
  expect(about('teams')[0]).toMatchObject({
    level: 'fault',
    text: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
  })
  expect(Buffer.concat(heard).toString()).toBe('')
  expect(ended.out).not.toContain('0123456789abcdef')
})
