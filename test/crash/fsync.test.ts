/** What the kernel was asked for, and when: a kill alone proves little, since the page cache outlives the hub. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HubProcess, startProcess } from '../helpers/process.ts'
import { readTrace } from './trace.ts'

const TOKEN = 'a-token-of-the-fsync-test'
const AT_ONCE = 40
const hasStrace = spawnSync('strace', ['-V']).status === 0

let dir = ''
let hub: HubProcess | null = null

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'carillon-fsync-'))
  const config = join(dir, 'config.json')
  await writeFile(config, JSON.stringify({ token: TOKEN, clients: [{ name: 'absent' }] }))
  hub = await startProcess(['--config', config, '--data', join(dir, 'data'), '--port', '0', '--host', '127.0.0.1'])
})

afterEach(async () => {
  await hub?.stop()
  hub = null
  await rm(dir, { recursive: true })
})

test('each reply leaves after its record is on disk, and pushes that come together share one flush', async (context) => {
  if (!hasStrace || !hub) return context.skip('strace is not installed')
  const { child, url } = hub
  const trace = join(dir, 'trace')
  const strace = await attach(child.pid, trace)
  if (!strace) return context.skip('strace may not attach to a process here')

  const pushed = [await push(url, 'alone')]
  pushed.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => push(url, `together-${n}.`)))))
  strace.kill('SIGINT')
  await once(strace, 'exit')

  const calls = readTrace(await readFile(trace, 'utf8'))
  const writes = calls.filter(({ name, file }) => name.includes('write') && file.includes('/data/journal-'))
  const flushes = calls.filter(({ name, file }) => name === 'fdatasync' && file.includes('/data/journal-'))
  for (const { text, mid } of pushed) {
    const written = writes.find(({ args }) => args.includes(text))
    const flushed = flushes.find((flush) => flush.file === written?.file && flush.begins > written.ends)
    const replied = calls.find(({ file, args }) => file.startsWith('socket:') && args.includes(mid))
    expect(written?.result, `${text} is written`).toBeGreaterThan(0)
    expect(flushed?.result, `${text} is flushed`).toBe(0)
    expect(replied?.begins, `${text} is answered after the flush`).toBeGreaterThan(flushed?.ends ?? Infinity)
  }
  // a flush belongs to the writes since the one before it: none is to spare, and the crowd shares
  const between = flushes.map(({ begins }, n) => {
    const since = flushes[n - 1]?.ends ?? -1
    return writes.filter((write) => write.begins > since && write.ends < begins).length
  })
  expect(between).not.toContain(0)
  expect(flushes.length).toBeLessThan(pushed.length)
})

async function push(url: string, text: string): Promise<{ text: string; mid: string }> {
  const response = await fetch(`${url}/absent.send?text=${text}`, { headers: { authorization: TOKEN } })
  expect(await response.json()).toEqual({ cmd: 'MESSAGE_REPLY', data: { absent: 'ready' } })
  return { text, mid: response.headers.get('x-message-id') ?? '' }
}

/** Resolves when it watches the process; null when it may not. */
async function attach(pid: number | undefined, trace: string): Promise<ChildProcess | null> {
  const calls = 'fdatasync,fsync,write,writev,pwrite64,pwritev'
  const args = ['-f', '-y', '-s', '65536', '-e', `trace=${calls}`, '-o', trace, '-p', String(pid)]
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const attached = new Promise<boolean>((resolve) => {
    strace.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('attached')) resolve(true)
    })
    strace.once('exit', () => resolve(false))
  })
  return (await attached) ? strace : null
}
