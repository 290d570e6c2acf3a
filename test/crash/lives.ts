import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type HubSpawn, spawnHub } from '../helpers/process.ts'
import type { Disk } from './disk.ts'
import type { Recorder } from './history.ts'

const STOP_MS = 15_000
/** of what a hub printed before it ended by itself */
const LAST_WORDS = 2_000
const TORN = /was torn by a crash/g

interface Life extends HubSpawn {
  readonly number: number
  /** its end is our doing */
  ours: boolean
}

/** The hub under test: one data folder and one port, many lives. Writes its starts and ends into the history. */
export class Lives {
  readonly url: string
  readonly wsUrl: string
  /** starts so far */
  count = 0
  #listening = false
  #over = false
  #life: Life | null = null
  /** the last life whose power was cut */
  #cut = 0
  readonly #history: Recorder
  readonly #args: readonly string[]
  readonly #program: readonly string[] | undefined
  readonly #disk: Disk | null
  readonly #events = new EventEmitter().setMaxListeners(0)

  /**
   * @param program what node runs in place of the built hub
   * @param disk has the data folder: a kill cuts its power first
   */
  constructor(
    history: Recorder,
    port: number,
    args: readonly string[],
    program?: readonly string[],
    disk: Disk | null = null,
  ) {
    this.url = `http://127.0.0.1:${port}`
    this.wsUrl = `ws://127.0.0.1:${port}`
    this.#history = history
    this.#args = [...args, '--port', String(port), '--host', '127.0.0.1']
    this.#program = program
    this.#disk = disk
  }

  /** Resolves when the hub listens; false when the run is over and it will not again. */
  async up(): Promise<boolean> {
    while (!this.#listening && !this.#over) await once(this.#events, 'news')
    return !this.#over
  }

  /** False if it ended before it listened, be it by itself or by `kill`. */
  async start(): Promise<boolean> {
    const number = ++this.count
    const began = performance.now()
    const life: Life = { ...spawnHub([...this.#args], {}, this.#program), number, ours: false }
    this.#life = life
    life.child.once('exit', (code, signal) => this.#ended(life, code ?? signal))
    try {
      await life.listening
    } catch {
      return false
    }
    if (life.ours) return false
    const torn = life.output().match(TORN)?.length ?? 0
    this.#history.add({ type: 'start', life: number, ms: performance.now() - began, torn })
    this.#listening = true
    this.#events.emit('news')
    return true
  }

  /** Ends it with SIGKILL, listening or not; where it has a disk, after a power cut. */
  async kill(): Promise<void> {
    const life = this.#take()
    if (!life) return
    this.#history.add({ type: 'kill', life: life.number })
    if (this.#disk) this.#cut = life.number
    await this.#disk?.cut()
    life.child.kill('SIGKILL')
    await ended(life)
    await this.#disk?.restore()
  }

  /** Whether the power of this life was cut: what is read from it since may rest on a flush that never was. */
  isCut(life: number): boolean {
    return life <= this.#cut
  }

  /** Ends it with SIGTERM. An exit code other than 0, or none in time, is a fault: but one that has not begun just ends. */
  async stop(): Promise<void> {
    const hasBegun = this.#listening
    const life = this.#take()
    if (!life) return
    const told = performance.now()
    this.#history.add({ type: 'stop', life: life.number })
    life.child.kill('SIGTERM')
    const inTime = await Promise.race([ended(life).then(() => true), pause(STOP_MS, false, { ref: false })])
    if (!inTime) {
      life.child.kill('SIGKILL')
      await ended(life)
    }
    this.#history.add({ type: 'stopped', life: life.number, ms: performance.now() - told })
    const code = life.child.exitCode ?? life.child.signalCode
    if (!hasBegun && code === 'SIGTERM') return
    if (code !== 0) this.#fault(life, inTime ? `SIGTERM ended with ${code}` : `no end ${STOP_MS} ms after SIGTERM`)
  }

  /** Nobody needs to wait any longer. */
  end(): void {
    this.#over = true
    this.#events.emit('news')
  }

  /** The running life, from now on ours to end. */
  #take(): Life | null {
    const life = this.#life
    this.#listening = false
    this.#life = null
    if (life) life.ours = true
    return life
  }

  #ended(life: Life, how: unknown): void {
    if (life.ours) return
    this.#listening = false
    this.#life = null
    this.#fault(life, `ended by itself with ${String(how)}`)
  }

  #fault(life: Life, why: string): void {
    this.#history.add({ type: 'exit', life: life.number, why: `${why}\n${life.output().slice(-LAST_WORDS)}` })
  }
}

async function ended({ child }: HubSpawn): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
