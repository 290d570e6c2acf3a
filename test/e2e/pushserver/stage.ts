/** A hub with a config of PushServer in a folder of its own, everything it leads to, and programs that use it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { selfSigned } from '../../helpers/certificate.ts'
import { temporaryFolder } from '../../helpers/folder.ts'
import type { MailServerOptions } from '../../helpers/mail.ts'
import { type Background, runShell, startShell } from '../../helpers/shell.ts'
import { makeNetwork, type Network } from './network.ts'
import { startVendors, type Vendors } from './vendors.ts'

const PORT = 8080
const NOTIFY_PORT = 9090
const POLL_MS = 10
const WRITTEN = `localhost:${PORT}`
const fixtures = join(import.meta.dirname, '../../fixtures/pushserver')
const main = join(import.meta.dirname, '../../../dist/server/main.js')

/** Of the two versions that there are of PushServer. */
export type Edition = 'first' | 'second'

const envelope = z.looseObject({ code: z.number(), message: z.string(), data: z.record(z.string(), z.unknown()) })
export type Envelope = z.infer<typeof envelope>

const taskSchema = z.looseObject({
  task_id: z.string(),
  status: z.enum(['processing', 'completed', 'failed']),
  results: z.array(
    z.looseObject({ platform: z.string(), webhook: z.string(), status: z.string(), message: z.string() }),
  ),
})
export type Task = z.infer<typeof taskSchema>

export interface StageOptions {
  readonly mail?: MailServerOptions
  /** changes the config file further */
  readonly edit?: (text: string) => string
  /** where the config file is put in the folder */
  readonly place?: string
}

export interface Stage {
  readonly cwd: string
  readonly vendors: Vendors
  readonly network: Network
  /** Starts the hub and waits until it listens. */
  start(options?: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv }): Promise<Background>
  /** Copies a program of the edition into the folder; returns the name of the copy. */
  put(name: string): string
  /** Copies it and runs it to its end; returns its stdout. */
  program(name: string, interpreter?: string): Promise<string>
  /** Runs a command line in the folder and the network of the hub. */
  shell(command: string): Promise<string>
  request(path: string, init?: RequestInit): Promise<Response>
  /** What the hub answers, whatever its status. */
  api(path: string, init?: RequestInit): Promise<Envelope>
  /** Posts a body, as text or of a file of the edition; returns its task id. */
  push(body: string): Promise<string>
  /** Asks for the task until it is as wanted. */
  task(id: string, wanted?: (task: Task) => boolean): Promise<Task>
  /** where the hub is, as programs write it */
  readonly written: string
  file(name: string): string
  write(name: string, text: string): void
  /** Looks again and again until something is so. */
  until(holds: () => boolean): Promise<void>
}

export function fixture(edition: Edition, name: string): string {
  return readFileSync(join(fixtures, edition, name), 'utf8')
}

/** Nothing runs yet but the other sides. Everything ends with the test. */
export async function setStage(edition: Edition, options: StageOptions = {}): Promise<Stage> {
  const { dir: cwd, remove } = await temporaryFolder()
  onTestFinished(remove)
  const sockets = join(cwd, '.sockets')
  mkdirSync(sockets)
  const network = await makeNetwork(sockets)
  onTestFinished(() => network.close())
  const vendors = await startVendors(options.mail ?? {})
  onTestFinished(() => vendors.close())
  const { feishu, dingtalk, wechat, mail, watch } = vendors
  for (const { port } of [feishu, dingtalk, wechat, watch].map(({ url }) => new URL(url)))
    await network.admit(Number(port))
  await network.admit(mail.port)
  if (network.isOwn) await network.admit(Number(new URL(watch.url).port), NOTIFY_PORT)

  const place = join(cwd, options.place ?? 'config/config.yaml')
  const text = configText(edition, vendors, network)
  mkdirSync(join(place, '..'), { recursive: true })
  writeFileSync(place, options.edit?.(text) ?? text, { mode: 0o600 })
  writeFileSync(join(cwd, 'ca.pem'), selfSigned.cert)

  let url = ''
  let written = WRITTEN
  if (network.isOwn) url = `http://127.0.0.1:${await network.lead(PORT)}`

  const inside = (command: string) => `exec ${network.prefix} ${command}`
  const shell = (command: string) => runShell(inside(`sh -c '${command.replaceAll("'", String.raw`'\''`)}'`), { cwd })

  function put(name: string): string {
    const copy = name.replace(/\.txt$/, '')
    writeFileSync(join(cwd, copy), fixture(edition, name).replaceAll(WRITTEN, written))
    return copy
  }

  const request = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)

  async function api(path: string, init?: RequestInit): Promise<Envelope> {
    const answer = await request(path, init)
    return envelope.parse(await answer.json())
  }

  return {
    cwd,
    vendors,
    network,
    shell,
    request,
    api,

    async start({ args = [], env = {} } = {}) {
      const own = network.isOwn ? [] : ['--port', '0', '--host', '127.0.0.1']
      const command = [process.execPath, main, ...args, ...own].map((word) => `'${word}'`).join(' ')
      const hub = startShell(inside(command), { cwd, env: { NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'), ...env } })
      onTestFinished(() => hub.stop('SIGKILL').catch(() => {}))
      const [, found = ''] = await hub.printed(/(http:\/\/127\.0\.0\.1:\d+)(?=[", ])/)
      if (network.isOwn) return hub
      url = found
      written = new URL(found).host
      return hub
    },

    put,
    program: (name, interpreter = 'bash') => shell(`${interpreter} ${put(name)}`),

    async push(body) {
      const text = body.endsWith('.json') ? fixture(edition, body) : body
      const answer = await api('/api/v1/push', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text,
      })
      if (answer.code !== 200) throw new Error(JSON.stringify(answer))
      return String(answer.data['task_id'])
    },

    async task(id, wanted = () => true) {
      for (;;) {
        const task = taskSchema.parse((await api(`/api/v1/task/${id}`)).data)
        if (wanted(task)) return task
      }
    },

    get written() {
      return written
    },
    file: (name) => readFileSync(join(cwd, name), 'utf8'),
    write: (name, text) => writeFileSync(join(cwd, name), text),
    async until(holds) {
      while (!holds()) await pause(POLL_MS)
    },
  }
}

/** The config of the edition with other addresses, and nothing else changed. */
function configText(edition: Edition, vendors: Vendors, network: Network): string {
  const { feishu, dingtalk, wechat, mail, watch } = vendors
  const text = fixture(edition, 'config.yaml')
    .replaceAll('https://open.feishu.cn', feishu.url)
    .replaceAll('https://oapi.dingtalk.com', dingtalk.url)
    .replaceAll('https://qyapi.weixin.qq.com', wechat.url)
    .replaceAll('http://your-webhook-server.com', watch.url)
    .replaceAll('"smtp.gmail.com"', '"127.0.0.1"')
    .replaceAll(/(port: )587\b/g, `$1${mail.port}`)
  return network.isOwn ? text : text.replaceAll(`http://localhost:${NOTIFY_PORT}`, watch.url)
}

/** Whether a command line ends well here. */
export function works(command: string): Promise<boolean> {
  return runShell(command).then(
    () => true,
    () => false,
  )
}

export function isEnded({ status }: Task): boolean {
  return status !== 'processing'
}

/** One JSON object after the other, as several curls print them. */
export function objectsIn(printed: string): readonly Envelope[] {
  return printed
    .replaceAll(/\}\s*\{/g, '}\n{')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => envelope.parse(JSON.parse(line)))
}
