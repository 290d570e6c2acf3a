/** What sessions weigh, and how fast they come. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectClient } from '../generator/client.ts'
import { forEach } from '../generator/connect.ts'
import { residentBytes } from '../generator/usage.ts'
import { type Case, type Measured, measureSpan, type Stage } from './case.ts'

const KIB = 1024
/** time for what connecting left behind to be collected */
const SETTLE_MS = 3_000
/** where clients come from: 127.0.0.1 and those behind it */
const ADDRESSES = 8

export const sessions: Case = {
  title: '8,000 sessions: connect, AUTH, then idle',
  sides: ['hub', 'koa'],
  clients: 8_000,
  measure: (stage) => measureSessions(stage, 8_000),
}

export const sessions18000: Case = {
  title: '18,000 sessions: connect, AUTH, then idle',
  sides: ['hub', 'koa'],
  clients: 18_000,
  measure: (stage) => measureSessions(stage, 18_000),
}

/** Connects and logs in clients as fast as the server takes them, then weighs them at rest. */
async function measureSessions(stage: Stage, count: number): Promise<Measured> {
  const server = await stage.start()
  const { port, pid } = server
  const clients = stage.size(count)
  const emptyBytes = residentBytes(pid)
  const span = await measureSpan(server, () =>
    forEach(clients, (client) => {
      const from = `127.0.0.${1 + (client % ADDRESSES)}`
      return connectClient({ port, name: `c${client}`, from, onMessage: unexpected })
    }),
  )
  await sleep(stage.ms(SETTLE_MS))
  const bytes = residentBytes(pid)
  return {
    stalls: span.stalls,
    figures: {
      ...span.figures,
      connectsPerS: clients / span.seconds,
      usPerConnect: span.serverUs / clients,
      kibPerSession: (bytes - emptyBytes) / clients / KIB,
      rssMib: bytes / KIB / KIB,
    },
  }
}

function unexpected(text: string): void {
  throw new Error(`nobody pushed, but ${text} arrived`)
}
