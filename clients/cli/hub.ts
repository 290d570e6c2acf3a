/** Which hub a client's command speaks to, and the token that it gives. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BadArguments } from '../../server/cli/arguments.ts'
import type { Options } from '../../server/cli/command.ts'

const HERE: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

export const hubOptions = {
  url: { type: 'string', value: 'URL', about: 'where the hub is (else CARILLON_URL, else http://127.0.0.1:9093)' },
  token: {
    type: 'string',
    value: 'T',
    about: "the hub's token (else CARILLON_TOKEN, else data/token of this machine)",
  },
} as const satisfies Options

export interface Hub {
  /** `http:` or `https:` */
  readonly url: string
  /** '' where there is none */
  readonly token: string
}

interface Values {
  readonly url?: string | undefined
  readonly token?: string | undefined
}

/** @throws BadArguments */
export function hubOf({ url: told, token }: Values, env: NodeJS.ProcessEnv = process.env): Hub {
  const url = httpOf(told ?? env['CARILLON_URL'] ?? 'http://127.0.0.1:9093')
  return { url: url.href.replace(/\/$/, ''), token: token ?? env['CARILLON_TOKEN'] ?? tokenOfThisMachine(url, env) }
}

/** The hub is named by either of its two doors. */
function httpOf(text: string): URL {
  if (!URL.canParse(text))
    throw new BadArguments(`--url is the address of a hub like http://127.0.0.1:9093, not ${text}`)
  const url = new URL(text.replace(/^ws/, 'http'))
  if (!/^https?:$/.test(url.protocol)) throw new BadArguments(`--url begins with http, https, ws or wss, not ${text}`)
  return url
}

/** The token that a hub without a config made for itself; other machines are not told it. */
function tokenOfThisMachine({ hostname }: URL, env: NodeJS.ProcessEnv): string {
  const file = join(env['CARILLON_DATA'] ?? 'data', 'token')
  return HERE.includes(hostname) && existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

/** @throws BadArguments */
export function secondsOf(option: string, text: string): number {
  const seconds = Number(text)
  if (text === '' || !(seconds > 0) || seconds > 1e9)
    throw new BadArguments(`--${option} is a number of seconds, not ${text}`)
  return seconds
}
