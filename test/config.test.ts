import { chmodSync, copyFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configOf } from '../server/config.ts'
import { configFolder, STRONG } from './helpers/config.ts'

const seedConfig = join(import.meta.dirname, 'fixtures/mpush-config.json')
const example = join(import.meta.dirname, '../config/config.example.yaml')

describe('the config.json of mpush, word by word', () => {
  test('is read as it is', async () => {
    const { cwd, read } = configFolder()
    copyFileSync(seedConfig, join(cwd, 'config.json'))
    chmodSync(join(cwd, 'config.json'), 0o600)
    const { config, file: found, kept } = await read()

    expect(found).toBe('config.json')
    expect(kept).toBeNull()
    expect(config).toMatchObject({
      token: 'test',
      http: { port: 9093, verifyToken: false, waitTimeout: 5000, cors: true, reply: 'flat' },
      websocket: { port: 9094, verifyToken: true, authTimeout: 30_000, retryTimeout: 3000, waitTimeout: 5000 },
      webpush: { proxy: 'http://127.0.0.1:12333', retryTimeout: 10_000 },
    })
    expect(config.http.host).toBeUndefined()
    const reach = config.reaches.find(({ recipient }) => recipient === 'wh1@user')
    expect(reach).toMatchObject({ groups: ['group2@group'], platforms: [{ channel: 'webhook' }] })
    expect(reach?.platforms[0]?.endpoints).toMatchObject([{ backoff: { firstMs: 3000, tries: Infinity } }])
  })

  test('warns of what it leaves open', async () => {
    const { cwd, read } = configFolder()
    copyFileSync(seedConfig, join(cwd, 'config.json'))
    chmodSync(join(cwd, 'config.json'), 0o600)
    const { warnings } = await read()
    expect(warnings.map((line) => line.split(/[: ]/)[0])).toEqual(['webhook', 'token', 'http.verifyToken', 'api.token'])
  })
})

describe('without a config', () => {
  test('it keeps to this machine, takes pushes without token and makes a token once', async () => {
    const { read } = configFolder()
    const first = await read()
    expect(first.file).toBeNull()
    expect(first.config.http).toMatchObject({ host: '127.0.0.1', port: 9093, verifyToken: false })
    expect(first.config.websocket.verifyToken).toBe(true)
    expect(first.kept).toMatchObject({ isNew: true, token: first.config.token })
    expect(first.config.token).toMatch(/^[\w-]{43}$/)
    expect(first.warnings).toEqual([])

    const second = await read()
    expect(second.config.token).toBe(first.config.token)
    expect(second.kept?.isNew).toBe(false)
  })

  test('the token file is for its owner alone', async () => {
    const { cwd, read } = configFolder()
    await read()
    expect(statSync(join(cwd, 'data')).mode & 0o777).toBe(0o700)
    expect(statSync(join(cwd, 'data/token')).mode & 0o777).toBe(0o600)
  })

  test('a file of a token that a crash left empty is made anew', async () => {
    const { file, read } = configFolder()
    file('data/token', '')
    expect((await read()).kept?.isNew).toBe(true)
  })

  test('on another host pushes need the token', async () => {
    const { read } = configFolder()
    expect((await read({ host: '0.0.0.0' })).config.http.verifyToken).toBe(true)
  })
})

describe('where the file is looked for', () => {
  const places = ['config.json', 'config.yaml', 'config/config.yaml', 'config/config.json']

  test.each(places)('%s comes before those behind it', async (place) => {
    const { file, read } = configFolder()
    for (const later of places.slice(places.indexOf(place))) file(later, '{}')
    expect((await read()).file).toBe(place)
  })

  test('--config comes first', async () => {
    const { file, read } = configFolder()
    for (const place of [...places, 'mine.yml']) file(place, '{}')
    expect((await read({ config: 'mine.yml' })).file).toBe('mine.yml')
  })

  test('a file that was asked for and is not there is a mistake', async () => {
    const { mistakes } = configFolder()
    expect(await mistakes({ config: 'none.json' })).toEqual(['the file cannot be read: ENOENT'])
  })

  test.each([
    ['config.json', '{ http: { port: 1 }, /* c */ }'],
    ['config.yaml', 'http:\n  port: 1 # c\n'],
    ['plain', '{"http": {"port": 1}}'],
    ['plain', 'http: {port: 1}'],
    ['config.json', '\ufeff{"http": {"port": 1}}'],
  ])('%s may hold %j', async (name, text) => {
    const { file, read } = configFolder()
    file(name, text)
    expect((await read({ config: name })).config.http.port).toBe(1)
  })

  test('an empty YAML file is a config', async () => {
    const { file, read } = configFolder()
    file('config.yaml', '# nothing\n')
    expect((await read()).config.http.port).toBe(9093)
  })

  test('the example is a config and says what is the default', async () => {
    const { file, read } = configFolder()
    file('config.yaml', readFileSync(example, 'utf8'))
    const comparable = async () => {
      const { reaches, ...config } = (await read()).config
      const ids = reaches.flatMap(({ platforms }) =>
        platforms.flatMap(({ endpoints }) => endpoints.map(({ id }) => id)),
      )
      return { ...config, ids }
    }
    const written = await comparable()
    file('config.yaml', '{}')
    expect(written).toMatchObject(await comparable())
  })
})

test.each(['null', 'undefined', ''])('an old group %j is none', async (group) => {
  const { clients, reaches } = await configOf(
    { token: STRONG, clients: [{ name: 'a', group, groups: [group, 'g'] }] },
    { webhook: { clients: [{ name: 'b', group, url: 'http://127.0.0.1/' }] } },
  )
  expect(clients).toEqual([{ name: 'a@user', group: null, groups: [null, 'g@group'] }])
  expect(reaches.find(({ recipient }) => recipient === 'b@user')).toMatchObject({ groups: [] })
})

test('values of a program are checked like a file', async () => {
  const wrong = configOf({ token: STRONG, http: { port: -1 } })
  await expect(wrong).rejects.toThrow('http.port: expected number to be >=0')
})

test('trustProxy takes addresses and networks, from the environment too, and nothing else', async () => {
  const { read, mistakes } = configFolder()
  const env = (list: string) => ({ CARILLON_TRUST_PROXY: list, CARILLON_LIMITS__ATTEMPTS_PER_MINUTE: '0.5' })
  const { config } = await read({}, env('["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]'))
  expect(config.trustProxy).toEqual(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32'])
  expect(config.limits).toMatchObject({ attempts: 30, attemptsPerMinute: 0.5, socketsPerAddress: 100 })
  expect(await mistakes({}, env('["localhost"]'))).toEqual([
    'trustProxy[0]: expected an address or a network such as 10.0.0.0/8',
  ])
})
