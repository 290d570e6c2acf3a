/** The unit, the Dockerfile and the compose file: checked by their own tools, and their commands run here. */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { validate } from 'dockerfile-utils'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { spawnHub } from '../helpers/process.ts'

const root = join(import.meta.dirname, '../..')
const deploy = join(root, 'config/deploy')
const read = (name: string) => readFileSync(join(deploy, name), 'utf8')
const start = /node (--\S+) dist\/server\/main\.js/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? ''

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-deploy-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('carillon.service', () => {
  const unit = read('carillon.service')
  const execStart = /^ExecStart=(.+)$/m.exec(unit)?.[1] ?? ''
  const verifies = spawnSync('systemd-analyze', ['--version']).status === 0

  test.skipIf(!verifies)(verifies ? 'is sound' : 'is sound (no systemd here: left out)', async () => {
    const path = join(folder, 'carillon.service')
    writeFileSync(path, unit.replace('/usr/bin/node', process.execPath))
    const { stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', path])
    expect(stderr.split('\n').filter((line) => line.includes('carillon.service'))).toEqual([])
    const { stdout } = await promisify(execFile)('systemd-analyze', ['security', '--offline=yes', '--no-pager', path])
    // 0 is a closed box, 10 an open one
    expect(Number(/exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2)
  })

  test('its command runs a hub, with the flags of npm start', async () => {
    const data = join(folder, 'data')
    const config = join(folder, 'config.yaml')
    writeFileSync(config, `token: ${'t'.repeat(32)}\nhttp: { host: 127.0.0.1, port: 0 }\n`, { mode: 0o600 })
    const [command = '', ...args] = execStart
      .replace('/usr/bin/node', process.execPath)
      .replace('/opt/carillon/node_modules/carillon', root)
      .replace('/etc/carillon/config.yaml', config)
      .replace('/var/lib/carillon/data', data)
      .split(' ')
    expect(args[0]).toBe(start)
    const hub = await spawnHub([], {}, args, folder, [command]).listening
    expect((await fetch(`${hub.url}/ready`)).status).toBe(200)
    expect(existsSync(join(data, 'LOCK'))).toBe(true)
    expect(await hub.stop('SIGTERM')).toBe(0)
  })
})

describe('Dockerfile', () => {
  const text = read('Dockerfile')

  test('has nothing that a linter objects to', () => {
    expect(validate(text, { instructionWorkdirRelative: 2, deprecatedMaintainer: 2 })).toEqual([])
  })

  test('its commands build a hub that starts, is found healthy, and stops', { timeout: 180_000 }, async () => {
    const { dir, entry, command, health } = await build(text)
    expect(entry[1]).toBe(start)
    const args = command.map((word) => word.replace('0.0.0.0', '127.0.0.1').replace(/^\/data$/, join(dir, 'data')))
    const hub = await spawnHub([...args, '--port', '0'], {}, entry.slice(1), join(dir, 'app')).listening
    const check = () => sh(health.replaceAll('9093', String(hub.port)), folder)
    await check()
    expect(await hub.stop('SIGTERM')).toBe(0)
    await expect(check()).rejects.toMatchObject({ code: 1 })
  })
})

describe('compose.yaml', () => {
  const checks = spawnSync('docker-compose', ['version']).status === 0
  test.skipIf(!checks)(checks ? 'is valid' : 'is valid (no docker-compose here: left out)', async () => {
    await sh(`docker-compose -f ${join(deploy, 'compose.yaml')} config -q`, folder)
  })

  test('builds from the Dockerfile, and keeps its data where the image does', () => {
    const { services } = parse(read('compose.yaml'))
    const { build: source, volumes, ports } = services.carillon
    expect(resolve(deploy, source.context, source.dockerfile)).toBe(join(deploy, 'Dockerfile'))
    expect(volumes).toContain(`data:${/^VOLUME (.+)$/m.exec(read('Dockerfile'))?.[1]}`)
    expect(ports[0]).toContain(/^EXPOSE (.+)$/m.exec(read('Dockerfile'))?.[1])
  })
})

interface Image {
  /** its root */
  readonly dir: string
  readonly entry: readonly string[]
  readonly command: readonly string[]
  /** a line for a shell */
  readonly health: string
}

/** Does what a Dockerfile says in folders of this machine, a stage each, with this machine's Node. */
async function build(text: string): Promise<Image> {
  const context = contextOf(join(folder, 'context'))
  const stages = new Map<string, string>()
  let image = { dir: '', entry: [''], command: [''], health: '' }
  let work = ''
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const [instruction = '', ...words] = line.trim().split(/\s+/)
    const rest = words.join(' ')
    switch (instruction) {
      case 'FROM':
        image = { ...image, dir: join(folder, `stage-${stages.size}`) }
        stages.set(words[2] ?? '', image.dir)
        break
      case 'WORKDIR':
        work = join(image.dir, rest)
        mkdirSync(work, { recursive: true })
        break
      case 'COPY': {
        const from = /^--from=(\S+)$/.exec(words[0] ?? '')?.[1]
        const source = from === undefined ? context : (stages.get(from) ?? '')
        copy(source, words.slice(from === undefined ? 0 : 1), work)
        break
      }
      case 'RUN': {
        const { uid, gid } = userInfo()
        await sh(rest.replaceAll(/ \/data/g, ` ${image.dir}/data`).replace('node:node', `${uid}:${gid}`), work)
        break
      }
      case 'HEALTHCHECK': {
        const asked: string[] = JSON.parse(rest.slice(rest.indexOf('CMD') + 3))
        image.health = asked.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
        break
      }
      case 'ENTRYPOINT':
        image.entry = JSON.parse(rest)
        break
      case 'CMD':
        image.command = JSON.parse(rest)
        break
    }
  }
  return image
}

/** What .dockerignore lets through of the project: it names all that is wanted. */
function contextOf(dir: string): string {
  const [all, ...wanted] = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n')
  expect(all).toBe('*')
  for (const line of wanted) cpSync(join(root, line.slice(1)), join(dir, line.slice(1)), { recursive: true })
  return dir
}

function copy(from: string, words: readonly string[], work: string): void {
  const target = words.at(-1) ?? ''
  for (const name of words.slice(0, -1)) {
    const to = target.endsWith('/') ? join(work, target, basename(name)) : join(work, target)
    mkdirSync(dirname(to), { recursive: true })
    cpSync(join(from, name), to, { recursive: true, verbatimSymlinks: true })
  }
}

async function sh(command: string, cwd: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', command], { cwd })).stdout
}
