/** A real browser on a page of ours. The page tells what happened to it by POST to `/report`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'

const program = '/usr/bin/chromium'
const root = join(import.meta.dirname, '../..')
const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.html': 'text/html; charset=utf-8' }
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
]

/** Why a test that needs a browser cannot run here; '' if it can. */
export const noChromium = existsSync(program) ? '' : ` (left out: there is no ${program})`

export interface PageServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly reports: readonly unknown[]
  /** Waits for the first report that is so. */
  reported<T>(isIt: (report: unknown) => report is T): Promise<T>
  close(): Promise<void>
}

/** Serves the files of the project, and `pages` by their path beside them. */
export async function servePages(pages: Readonly<Record<string, string>> = {}): Promise<PageServer> {
  const reports: unknown[] = []
  const lookers = new Set<() => void>()
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', 'http://page').pathname
    if (request.method === 'POST') {
      let body = ''
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
      reports.push(JSON.parse(body))
      for (const look of lookers) look()
      response.end()
      return
    }
    const file = join(root, normalize(path))
    const content = pages[path] ?? (existsSync(file) ? readFileSync(file) : null)
    const type = path in pages ? '.html' : extname(path)
    response.writeHead(content === null ? 404 : 200, { 'content-type': types[type] ?? 'text/plain' }).end(content)
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports,
    reported: (isIt) =>
      new Promise((resolve) => {
        const look = () => {
          const found = reports.find(isIt)
          if (found === undefined) return
          lookers.delete(look)
          resolve(found)
        }
        lookers.add(look)
        look()
      }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Opens the page in a browser of its own; returns how to end it. */
export async function openPage(url: string): Promise<() => Promise<void>> {
  const profile = await mkdtemp(join(tmpdir(), 'carillon-chromium-'))
  // a process group of its own: the browser is many processes
  const browser = spawn(program, [...flags, `--user-data-dir=${profile}`, url], { stdio: 'ignore', detached: true })
  const ended = once(browser, 'exit')
  return async () => {
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL')
    await ended
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
