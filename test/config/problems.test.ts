import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder } from '../helpers/config.ts'

describe('mistakes', () => {
  const cases: [string, string, string[]][] = [
    [
      'an unknown key beside a known one',
      'http: {prot: 1}',
      ['http.prot: there is no such key; did you mean http.port?'],
    ],
    [
      'a key in the wrong section',
      'waitTimeout: 1',
      ['waitTimeout: there is no such key; did you mean http.waitTimeout?'],
    ],
    ['a key like no other', 'xyzzy: 1', ['xyzzy: there is no such key']],
    [
      'in a list',
      'clients: [{nme: a, name: b}]',
      ['clients[0].nme: there is no such key; did you mean clients[].name?'],
    ],
    [
      'in a channel',
      'webhook: {clinets: []}',
      ['webhook.clinets: there is no such key; did you mean webhook.clients?'],
    ],
    [
      'in a platform',
      'recipients: {ops: {platforms: {webhook: {webhooks: [{urll: a, url: "http://h/"}]}}}}',
      [
        'recipients.ops.platforms.webhook.webhooks[0].urll: there is no such key; did you mean recipients.ops.platforms.webhook.webhooks[].url?',
      ],
    ],
    [
      'further up than it belongs',
      'recipients: {ops: {platforms: {webhook: {secret: a, webhooks: [{url: "http://h/"}]}}}}',
      [
        'recipients.ops.platforms.webhook.secret: there is no such key; did you mean recipients.ops.platforms.webhook.webhooks[].secret?',
      ],
    ],
    [
      'a platform that is none',
      'recipients: {ops: {platforms: {webhok: {}}}}',
      ['recipients.ops.platforms.webhok: there is no such key; did you mean recipients.ops.platforms.webhook?'],
    ],
    [
      'a recipient whose name is that of a key',
      'recipients: {webhook: {nmae: W}}',
      ['recipients.webhook.nmae: there is no such key; did you mean recipients.webhook.name?'],
    ],
    [
      'what belongs to no recipient is not looked for among theirs',
      'http: {escalate: 1, platforms: 1}',
      ['http.escalate: there is no such key', 'http.platforms: there is no such key'],
    ],
    ['the key of a prototype', '{"__proto__": {}}', ['__proto__: there is no such key']],
    ['a wrong type', 'http: {port: "9"}', ['http.port: expected number, received string']],
    ['a missing key', 'clients: [{group: g}]', ['clients[0].name: is missing']],
    ['an empty token', 'token: ""', ['token: is empty']],
    ['a name that is not allowed', 'clients: [{name: a/b}]', ['clients[0].name: name has a slash']],
    [
      'a webhook with such a name',
      'webhook: {clients: [{name: a/b, url: "http://h/"}]}',
      ['webhook: client "a/b": name has a slash'],
    ],
    [
      'the same webhook twice',
      'webhook: {clients: [{name: a, url: "http://h/"}, {name: a, url: "http://h/"}]}',
      ['webhook: a names the same endpoint twice'],
    ],
    ['not a section', '[1]', ['the file does not hold a section of keys']],
    [
      'two ports',
      'server: {port: 1}\nhttp: {port: 2}',
      ['server.port and http.port differ: they are one setting, keep one'],
    ],
    ['a secret that is not there', 'token: "${env:NO}"', ['token: the environment has no NO', 'token: is empty']],
    [
      'all at once',
      'token: 7\nhttp: {port: 70000, cors: yes please, x: 1}\nexpire: -1',
      [
        'token: expected string, received number',
        'http.port: expected number to be <=65535',
        'http.cors: expected boolean, received string',
        'http.x: there is no such key',
        'expire: expected number to be >0',
      ],
    ],
  ]

  test.each(cases)('%s: %s', async (_, text, expected) => {
    const { file, mistakes } = configFolder()
    file('config.yaml', text)
    expect(await mistakes()).toEqual(expected)
  })

  test.each([
    ['config.json', '{"token": "hush}', /^is not JSON: .*1:/],
    ['config.yaml', 'a: 1\nb: [1', /^is not YAML: line 2: /],
  ])('%s that cannot be parsed says where', async (name, text, expected) => {
    const { file, mistakes } = configFolder()
    file(name, text)
    expect((await mistakes()).join('\n')).toMatch(expected)
  })

  test('a value is never repeated: it may be a secret', async () => {
    const { file, mistakes } = configFolder()
    file('config.yaml', 'token: 123456789\nwebhook: {clients: [{name: a, url: "hush-hush"}]}')
    expect((await mistakes()).join()).not.toMatch(/123456789|hush-hush/)
  })

  test('nothing is written when there is a mistake', async () => {
    const { cwd, file, mistakes } = configFolder()
    file('config.yaml', 'x: 1')
    await mistakes()
    expect(() => statSync(join(cwd, 'data'))).toThrow('ENOENT')
  })
})
