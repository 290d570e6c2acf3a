/** A hub in a process of its own and `carillon listen` beside it, in a folder of the test's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { type HubProcess, startProcess } from './process.ts'
import { carillon, type Ended, runProgram } from './program.ts'
import { type Background, startShell } from './shell.ts'

export interface Stage {
  /** the working directory of all, and the hub's data folder */
  readonly data: () => string
  /** @param port one of its own unless told */
  startHub(env?: NodeJS.ProcessEnv, port?: number): Promise<HubProcess>
  /** @param args as they are typed behind `carillon listen` */
  listen(args: string, env?: NodeJS.ProcessEnv): Background
  /** The same, when it has come through AUTH. */
  listening(args: string, env?: NodeJS.ProcessEnv): Promise<Background>
  /** Any command line with `$PROGRAM listen` in it. */
  shell(command: string, env?: NodeJS.ProcessEnv): Background
  /** Runs it to its end; waits for nothing. */
  run(args: readonly string[]): Promise<Ended>
  /** Called in reverse at the end of the test. */
  atEnd(close: () => Promise<unknown>): void
}

/** Answers to senders come soon, with an ack or without. */
export const HASTY = { CARILLON_HTTP__WAIT_TIMEOUT: '700' }

/** Sets a stage for each test of the file. */
export function useStage(): Stage {
  let data = ''
  let closers: (() => Promise<unknown>)[] = []
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'carillon-listen-'))
  })
  afterEach(async () => {
    for (const close of closers.toReversed()) await close()
    closers = []
    rmSync(data, { recursive: true })
  })

  const own = () => ({ CARILLON_TOKEN: undefined, CARILLON_URL: undefined, CARILLON_DATA: data, PROGRAM: carillon })
  const stage: Stage = {
    data: () => data,
    atEnd: (close) => void closers.push(close),
    async startHub(env = {}, port = 0) {
      const args = ['--data', data, '--port', `${port}`, '--host', '127.0.0.1']
      const hub = await startProcess(args, { CARILLON_HTTP__WAIT_TIMEOUT: '2000', ...env }, data)
      stage.atEnd(() => hub.stop('SIGKILL'))
      return hub
    },
    shell(command, env = {}) {
      const background = startShell(command, { cwd: data, env: { ...own(), ...env } })
      stage.atEnd(() => background.stop('SIGKILL'))
      return background
    },
    listen: (args, env) => stage.shell(`exec node "$PROGRAM" listen ${args}`, env),
    async listening(args, env) {
      const listener = stage.listen(args, env)
      await listener.printed('listening as')
      return listener
    },
    run: (args) => runProgram(args, { cwd: data, env: own() }),
  }
  return stage
}

/** Pushes by URL. @param key its idempotency key */
export async function push(hub: HubProcess, path: string, key?: string): Promise<unknown> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
  const response = await fetch(`${hub.url}/${path}`, { headers })
  return response.json()
}

/** Waits until somebody is connected. */
export async function visited(hub: HubProcess): Promise<void> {
  const sessions = async () => ((await (await fetch(`${hub.url}/health`)).json()) as { sessions: number }).sessions
  while ((await sessions()) === 0);
}
