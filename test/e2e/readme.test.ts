/** Both READMEs are followed word by word: every command that starts, listens or pushes, and what it should answer. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { signature } from '../../server/channels/webhook.ts'
import { carillon } from '../helpers/program.ts'
import { startReceiver } from '../helpers/receiver.ts'
import { type Background, runShell, type ShellOptions, startShell } from '../helpers/shell.ts'

interface Fence {
  readonly kind: string
  readonly text: string
}

const readmes = ['README.md', 'README.zh-CN.md'] as const
const root = join(import.meta.dirname, '../..')
/** The section that starts a hub of its own, with a config. */
const ABOUT_PLATFORMS = /^## (?:Chat robots|聊天机器人)[^]*?(?=^## )/m

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The fenced blocks of a Markdown text, in order, without their indentation. */
function fencesOf(text: string): Fence[] {
  return [...text.matchAll(/^( *)```(\w+)\n([^]*?)^ *```$/gm)].map(([, indent = '', kind = '', block = '']) => ({
    kind,
    text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim(),
  }))
}

/** Ids and times differ from run to run. */
function masked(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll(/\b\d{13}\b/g, 'MID')
    .replaceAll(/\btask_\d{8}_\d{6}_[\da-z]{6}\b/g, 'TASK')
    .replaceAll(/\b\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z/g, 'TIME')
    .replaceAll(/^Date: .*$/gm, 'Date: …')
    .trim()
}

let data = ''
let running: Background[] = []
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'carillon-readme-'))
})
afterEach(async () => {
  for (const command of running.toReversed()) await command.stop()
  running = []
  rmSync(data, { recursive: true })
})

interface Answer {
  readonly command: string
  readonly documented: string
  readonly printed: string
}

/** Does what the text says, in its order; only the port and the folder are our own. Returns what was answered. */
async function follow(fences: readonly Fence[]): Promise<Answer[]> {
  const answers: Answer[] = []
  const listeners: Background[] = []
  let url = ''
  let pushed: { command: string; printed: string } | null = null

  for (const { kind, text } of fences) {
    if (kind === 'sh' && text === 'npm start') {
      url = await startHub(text)
    } else if (kind === 'sh' && text.startsWith('npx carillon listen ')) {
      const listener = start(`${text} --url ${url}`)
      await listener.printed('listening as')
      listeners.push(listener)
    } else if (kind === 'sh' && text.startsWith('npx carillon send ')) {
      pushed = { command: text, printed: masked(await runShell(`${text} --url ${url}`, ours())) }
    } else if (kind === 'sh' && text.startsWith('curl ')) {
      pushed = { command: text, printed: await push(text, url) }
    } else if (kind === 'js') {
      answers.push(await runClient(text, url, listeners[0]))
    } else if (pushed !== null && (kind === 'text' || kind === 'http')) {
      answers.push({ ...pushed, documented: masked(text) })
      pushed = null
    } else if (kind === 'text' && /^\d{13} {2}/.test(text)) {
      await listeners[0]?.printed(new RegExp(text.replace(/^\d{13}/, String.raw`^\d{13}`), 'm'))
    }
  }
  return answers
}

/** Only the folders are our own: the hub's, and that in which npx remembers where it found what. */
function ours(env: NodeJS.ProcessEnv = {}): ShellOptions {
  const folders = { CARILLON_DATA: data, npm_config_cache: join(data, 'npm') }
  return { env: { CARILLON_TOKEN: undefined, CARILLON_URL: undefined, ...folders, ...env } }
}

function start(command: string, env: NodeJS.ProcessEnv = {}): Background {
  const http = { CARILLON_HTTP__HOST: '127.0.0.1', CARILLON_HTTP__PORT: '0', CARILLON_HTTP__WAIT_TIMEOUT: '2000' }
  const background = startShell(command, ours({ ...http, ...env }))
  running.push(background)
  return background
}

/** @returns where it listens */
async function startHub(command: string): Promise<string> {
  const [, url = ''] = await start(command).printed(/"url":"(http:[^"]+)"/)
  return url
}

async function push(command: string, url: string): Promise<string> {
  const own = command.replaceAll('http://127.0.0.1:9093', url).replaceAll('data/token', join(data, 'token'))
  return masked(await runShell(own))
}

/** The client of the README takes the place of the one that listens as `me`. */
async function runClient(code: string, url: string, former: Background | undefined): Promise<Answer> {
  const token = readFileSync(join(data, 'token'), 'utf8').trim()
  const own = code.replace('http://127.0.0.1:9093', url)
  const client = start('exec node --input-type=module --eval "$CODE"', { CODE: own, CARILLON_TOKEN: token })
  await former?.ended
  const printed = await push('curl "http://127.0.0.1:9093/me.send?text=to+the+client"', url)
  await client.printed(/^to the client$/m)
  return { command: code, printed, documented: '{"cmd":"MESSAGE_REPLY","data":{"me":"ok"}}' }
}

test.each(readmes)('every command of %s answers what it says', async (file) => {
  const answers = await follow(fencesOf(textOf(file).replace(ABOUT_PLATFORMS, '')))
  expect(answers).toHaveLength(12)
  for (const { command, documented, printed } of answers) expect(printed, command).toBe(documented)
})

test.each(readmes)('the config of %s with a robot in it works as it says', async (file) => {
  const robot = await startReceiver((response) => response.end('{"code":0}'))
  onTestFinished(() => robot.close())
  const [config, command, ...more] = fencesOf(ABOUT_PLATFORMS.exec(textOf(file))?.[0] ?? '')
  const path = join(data, 'config.yaml')
  writeFileSync(path, (config?.text ?? '').replace('https://open.feishu.cn', robot.url), { mode: 0o600 })

  chmodSync(carillon, 0o644)
  const url = await startHub((command?.text ?? '').replace('config.yaml', path))
  expect(statSync(carillon).mode & 0o111, 'npm start builds a program that npx can run').toBe(0o111)
  expect(more.map(({ kind }) => kind)).toEqual(['sh', 'text', 'sh', 'text'])
  const [byUrl, itsAnswer, byApi, itsTask] = more.map(({ text }) => text)
  expect(await push(byUrl ?? '', url)).toBe(masked(itsAnswer ?? ''))
  expect(await push(byApi ?? '', url)).toBe(masked(itsTask ?? ''))

  const { body } = await robot.received(2)
  expect(robot.requests.map((request) => request.url)).toEqual(Array(2).fill(expect.stringMatching(/^\/open-apis\//)))
  expect(JSON.parse(robot.requests[0]?.body ?? '')).toEqual({ msg_type: 'text', content: { text: 'disk full' } })
  expect(body).toContain('/var on **db1**')
})

test('both say the same', () => {
  expect(fencesOf(textOf(readmes[1]))).toEqual(fencesOf(textOf(readmes[0])))
})

test('the signature that is shown fits the secret, the id, the time and the body that are shown', () => {
  const fences = fencesOf(textOf(readmes[0]))
  const config = fences.find(({ text }) => text.startsWith('webhook:'))
  const request = fences.find(({ text }) => text.startsWith('POST '))
  const schema = z.object({ webhook: z.object({ clients: z.array(z.object({ secret: z.string().optional() })) }) })
  const [{ secret = '' } = {}] = schema.parse(parse(config?.text ?? '')).webhook.clients
  const [head = '', body = ''] = request?.text.split('\n\n') ?? []
  const headers = Object.fromEntries(
    head
      .split('\n')
      .slice(1)
      .map((line) => line.split(': ', 2)),
  )

  const { 'webhook-id': id = '', 'webhook-timestamp': time = '' } = z.record(z.string(), z.string()).parse(headers)
  expect(headers).toMatchObject(signature(secret, id, Number(time) * 1000, body))
})
