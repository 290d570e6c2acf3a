/** Built hubs on data folders of their own; what they are sent for somebody who is never there, and what that one gets in the end. */
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '../helpers/client.ts'
import { type HubProcess, type HubSpawn, spawnHub } from '../helpers/process.ts'

export const TOKEN = 'the-token-of-the-fault-tests'
export const NAME = 'absent'
/** the last message that is owed to it */
const LAST = 'the end'
const WINDOW = 100
const PATIENCE_MS = 10_000
const MIDS = /^\d{13}$/

/** What a sender was told; status null: there was no answer. */
export interface Told {
  readonly text: string
  readonly status: number | null
  readonly body: string
}

export interface How {
  /** what node runs in place of the built hub */
  readonly program?: readonly string[]
  /** how node is called */
  readonly command?: readonly [string, ...string[]]
  readonly env?: NodeJS.ProcessEnv
}

export class Scene {
  readonly dir: string
  #count = 0
  readonly #hubs: HubSpawn[] = []

  private constructor(dir: string) {
    this.dir = dir
  }

  static async make(config: object = {}): Promise<Scene> {
    const scene = new Scene(await mkdtemp(join(tmpdir(), 'carillon-faults-')))
    const whole = { token: TOKEN, clients: [{ name: NAME }], ...config }
    await writeFile(join(scene.dir, 'config.json'), JSON.stringify(whole), { mode: 0o600 })
    return scene
  }

  /** A new data folder. */
  folder(): string {
    this.#count += 1
    return join(this.dir, `data-${this.#count}`)
  }

  /** A new data folder with all that is in another one. */
  async copyOf(data: string): Promise<string> {
    const copy = this.folder()
    await cp(data, copy, { recursive: true })
    return copy
  }

  spawn(data: string, { program, command, env }: How = {}): HubSpawn {
    const config = join(this.dir, 'config.json')
    const args = ['--config', config, '--data', data, '--port', '0', '--host', '127.0.0.1']
    const hub = spawnHub(args, env, program, undefined, command)
    // nobody may wait for it
    hub.listening.catch(() => {})
    this.#hubs.push(hub)
    return hub
  }

  /** @throws Error with its output if it ends before it listens */
  start(data: string, how?: How): Promise<HubProcess> {
    return this.spawn(data, how).listening
  }

  /** Kills what still runs, and removes all files. */
  async remove(): Promise<void> {
    for (const hub of this.#hubs) {
      hub.child.kill('SIGKILL')
      await ended(hub)
    }
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** Resolves when the process is gone. */
export async function ended({ child }: HubSpawn): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Pushes one message to NAME. */
export async function push(url: string, text: string, headers: Record<string, string> = {}): Promise<Told> {
  try {
    const path = `/${NAME}.send?text=${encodeURIComponent(text)}`
    const response = await fetch(`${url}${path}`, { headers: { authorization: TOKEN, ...headers } })
    return { text, status: response.status, body: await response.text() }
  } catch (error) {
    return { text, status: null, body: String(error) }
  }
}

/** All that is owed to NAME, in order; it acks all of it. @throws Error when that takes too long */
export async function receiveAll(url: string): Promise<string[]> {
  const { status, body } = await push(url, LAST)
  if (status !== 200) throw new Error(`the hub answers ${status} ${body}`)
  const client = await connect(url.replace('http', 'ws'))
  client.send('AUTH', { token: TOKEN, name: NAME, window: WINDOW })
  const texts: string[] = []
  let before = ''
  for (;;) {
    const next = await Promise.race([client.message(), pause(PATIENCE_MS, null, { ref: false })])
    if (next === null) throw new Error(`nothing comes after ${texts.length} messages`)
    const { mid, message } = next
    if (mid <= before || !MIDS.test(mid)) throw new Error(`${mid} came after ${before}`)
    before = mid
    client.ack(mid)
    if (message.text === LAST) break
    texts.push(message.text)
  }
  await client.settled()
  client.socket.terminate()
  return texts
}
