/** The hub behind a real nginx: with our example, and with what the pages of mpush and PushServer tell to write. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { selfSigned } from '../helpers/certificate.ts'
import { type HubProcess, spawnHub } from '../helpers/process.ts'

const present = spawnSync('nginx', ['-v']).status === 0
const example = readFileSync(join(import.meta.dirname, '../../config/deploy/nginx.conf'), 'utf8')
const certificate = 'ssl_certificate CERTS/push.example.com.cer; ssl_certificate_key CERTS/push.example.com.key;'

/** What the documents of mpush and of PushServer have in their server blocks. */
const documented = {
  mpush: `server {
    listen PLAIN;
    listen TLS ssl;
    ${certificate}
    location /mpush {
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $host;
      proxy_read_timeout 300;
      proxy_pass http://127.0.0.1:HUB;
    }
  }`,
  PushServer: `server {
    listen PLAIN;
    listen TLS ssl;
    ${certificate}
    location / {
      proxy_pass http://127.0.0.1:HUB;
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 30s;
      proxy_send_timeout 30s;
      proxy_read_timeout 30s;
    }
    location /health {
      proxy_pass http://127.0.0.1:HUB/health;
    }
  }`,
}

const TOKEN = 'a token for the test of proxies'
let folder = ''
let hub: HubProcess
let nginx: ChildProcess | null = null
let plain = 0
let tls = 0

describe.skipIf(!present)(present ? 'behind nginx' : 'behind nginx (not installed: left out)', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-nginx-'))
    mkdirSync(join(folder, 'certs'))
    writeFileSync(join(folder, 'certs/push.example.com.cer'), selfSigned.cert)
    writeFileSync(join(folder, 'certs/push.example.com.key'), selfSigned.key)
    const config = {
      token: TOKEN,
      trustProxy: ['127.0.0.1'],
      http: { host: '127.0.0.1', port: 0, cors: false, verifyToken: true },
      recipients: {
        ops: { strategy: 'all', platforms: { slack: { enabled: true, webhooks: [{ url: 'http://127.0.0.1:1/' }] } } },
      },
    }
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    hub = await spawnHub(['--data', join(folder, 'data')], {}, undefined, folder).listening
  })
  afterAll(async () => {
    await hub.stop()
    rmSync(folder, { recursive: true })
  })
  beforeEach(async () => {
    ;[plain, tls] = await freePorts()
  })
  afterEach(async () => {
    nginx?.kill('SIGTERM')
    if (nginx) await once(nginx, 'exit')
    nginx = null
  })

  test('our example passes pushes, sockets and long URLs, keeps texts out of its log, and hides the metrics', async () => {
    await startNginx(example)
    const client = await login(`wss://127.0.0.1:${tls}/`, 'me')
    const text = 'a'.repeat(12_000)
    const push = pushed(`https://127.0.0.1:${tls}/me.send?desp=${text}`)
    const message = await client.next()
    client.ack(message)
    expect(await push).toContain('"data":{"me":"ok"}')
    expect(message).toContain(text)
    expect(await curl('-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', `http://127.0.0.1:${plain}/a?b`)).toBe(
      '301 https://127.0.0.1/a?b',
    )
    const metrics = ['-o', '/dev/null', '-w', '%{http_code}', `https://127.0.0.1:${tls}/metrics`]
    expect(await curl('--interface', '127.0.0.2', ...metrics)).toBe('403')
    expect(await curl('-H', `authorization: Bearer ${TOKEN}`, ...metrics)).toBe('200')

    client.socket.close()
    const log = readFileSync(join(folder, 'log/carillon.access.log'), 'utf8')
    expect(log).toContain('GET /me.send 200')
    expect(log).not.toContain('aaaa')
  })

  test('our example tells the hub who calls: who guesses tokens is shut out, others are not', async () => {
    await startNginx(example)
    const url = `https://127.0.0.1:${tls}/me.send?text=x`
    const guess = (from: string) =>
      curl('-o', '/dev/null', '-w', '%{http_code}', '--interface', from, '-H', 'authorization: wrong', url)
    let status = ''
    for (let tries = 0; tries < 60 && status !== '429'; tries++) status = await guess('127.0.0.2')
    expect(status).toBe('429')
    expect(await guess('127.0.0.3')).toBe('401')
  })

  test('our example lets pages of its own origin connect, and no others', async () => {
    await startNginx(example)
    const own = await login(`wss://127.0.0.1:${tls}/`, 'page', { origin: `https://127.0.0.1:${tls}` })
    own.socket.close()
    await expect(login(`wss://127.0.0.1:${tls}/`, 'page', { origin: 'https://evil.example' })).rejects.toThrow('403')
  })

  test('the example of mpush passes its sockets and packets', async () => {
    await startNginx(documented.mpush)
    const client = await login(`wss://127.0.0.1:${tls}/mpush`, 'phone')
    const data = { sendType: 'personal', target: 'phone', message: { text: 'hello' } }
    const push = pushed(`https://127.0.0.1:${tls}/mpush`, { cmd: 'MESSAGE', data })
    const message = await client.next()
    client.ack(message)
    expect(await push).toContain('"data":{"phone":"ok"}')
    client.socket.close()
  })

  test('the example of PushServer passes its API', async () => {
    await startNginx(documented.PushServer)
    const body = { recipient_alias: 'ops', content: { title: 't', msg: 'm' }, type: 'info', style: 'text' }
    expect(await pushed(`https://127.0.0.1:${tls}/api/v1/push`, body)).toContain('"code":200')
    expect(await curl(`https://127.0.0.1:${tls}/health`)).toContain('"status":"ok"')
  })
})

/** Starts nginx as it stands in the example, but for ports and paths. */
async function startNginx(server: string): Promise<void> {
  mkdirSync(join(folder, 'log'), { recursive: true })
  const here = server
    .replaceAll('127.0.0.1:9093', `127.0.0.1:${hub.port}`)
    .replaceAll('HUB', String(hub.port))
    .replaceAll('/etc/nginx/certs', join(folder, 'certs'))
    .replaceAll('CERTS', join(folder, 'certs'))
    .replaceAll('/var/log/nginx', join(folder, 'log'))
    .replaceAll(/listen (80|PLAIN)\b/g, `listen 127.0.0.1:${plain}`)
    .replaceAll(/listen (443|TLS)\b/g, `listen 127.0.0.1:${tls}`)
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ')
  const main = `daemon off; pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'log/error.log')};
    events {} http { ${temp} access_log off; ${here} }`
  writeFileSync(join(folder, 'nginx.conf'), main)
  nginx = spawn('nginx', ['-e', join(folder, 'log/error.log'), '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' })
  await listening(plain)
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = createConnection(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    if (nginx?.exitCode !== null) throw new Error(readFileSync(join(folder, 'log/error.log'), 'utf8'))
  }
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    ports.push(typeof address === 'object' && address !== null ? address.port : 0)
  }
  for (const server of servers) server.close()
  return [ports[0] ?? 0, ports[1] ?? 0]
}

function pushed(url: string, body?: object): Promise<string> {
  const json = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]
  return curl('-H', `authorization: ${TOKEN}`, ...json, url)
}

async function curl(...args: string[]): Promise<string> {
  return (await promisify(execFile)('curl', ['-sSk', ...args])).stdout
}

async function login(url: string, name: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers, rejectUnauthorized: false })
  const texts: string[] = []
  const takers: ((text: string) => void)[] = []
  socket.on('message', (data: Buffer) => {
    const taker = takers.shift()
    if (taker) taker(data.toString())
    else texts.push(data.toString())
  })
  const next = async () => texts.shift() ?? (await new Promise<string>((take) => void takers.push(take)))
  await once(socket, 'open')
  socket.send(JSON.stringify({ cmd: 'AUTH', data: { token: TOKEN, name } }))
  expect(await next()).toContain('"code":200')
  return {
    socket,
    next,
    ack(message: string) {
      const [, mid = ''] = /"mid":"(\d+)"/.exec(message) ?? []
      socket.send(JSON.stringify({ cmd: 'MESSAGE_CALLBACK', data: { mid } }))
    },
  }
}
