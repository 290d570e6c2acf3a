/** Both READMEs are followed word by word: every command that starts, listens or pushes, and what it should answer. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { signature } from '../../server/channels/webhook.ts'
import { type Background, runShell, startShell } from '../helpers/shell.ts'

interface Fence {
  readonly kind: string
  readonly text: string
}

const readmes = ['README.md', 'README.zh-CN.md'] as const
const root = join(import.meta.dirname, '../..')

/** The fenced blocks of a Markdown file, in order, without their indentation. */
function fencesOf(file: string): Fence[] {
  const text = readFileSync(join(root, file), 'utf8')
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
      const [, found = ''] = await start(text).printed(/"url":"(http:[^"]+)"/)
      url = found
    } else if (kind === 'sh' && text.startsWith('npm run listen ')) {
      const listener = start(`${text} --url ${url}`)
      await listener.printed('listening as')
      listeners.push(listener)
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

function start(command: string, env: NodeJS.ProcessEnv = {}): Background {
  const http = { CARILLON_HTTP__HOST: '127.0.0.1', CARILLON_HTTP__PORT: '0', CARILLON_HTTP__WAIT_TIMEOUT: '2000' }
  const background = startShell(command, { env: { CARILLON_TOKEN: undefined, CARILLON_DATA: data, ...http, ...env } })
  running.push(background)
  return background
}

async function push(command: string, url: string): Promise<string> {
  const own = command.replaceAll('http://127.0.0.1:9093', url).replaceAll('data/token', join(data, 'token'))
  return masked(await runShell(own))
}

/** The client of the README takes the place of the one that listens as `me`. */
async function runClient(code: string, url: string, former: Background | undefined): Promise<Answer> {
  const token = readFileSync(join(data, 'token'), 'utf8').trim()
  const own = code.replace('ws://127.0.0.1:9093', url.replace('http', 'ws'))
  const client = start('exec node --input-type=module --eval "$CODE"', { CODE: own, CARILLON_TOKEN: token })
  await former?.ended
  const printed = await push('curl "http://127.0.0.1:9093/me.send?text=to+the+client"', url)
  await client.printed(/^to the client$/m)
  return { command: code, printed, documented: '{"cmd":"MESSAGE_REPLY","data":{"me":"ok"}}' }
}

test.each(readmes)('every command of %s answers what it says', async (file) => {
  const answers = await follow(fencesOf(file))
  expect(answers).toHaveLength(11)
  for (const { command, documented, printed } of answers) expect(printed, command).toBe(documented)
})

test('both say the same', () => {
  expect(fencesOf(readmes[1])).toEqual(fencesOf(readmes[0]))
})

test('the signature that is shown fits the secret, the id, the time and the body that are shown', () => {
  const fences = fencesOf(readmes[0])
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
