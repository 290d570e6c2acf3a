import { describe, expect, test } from 'vitest'
import { BadArguments, readArguments } from '../../server/cli/arguments.ts'

const none = { port: undefined }

describe('a command line', () => {
  test.each([
    [[], { name: 'serve', flags: none }],
    [['serve', '--port', '0', '-host', 'h'], { name: 'serve', flags: { port: 0, host: 'h' } }],
    [['--version', 'dance'], { name: 'version' }],
    [['channel', 'test', '-h'], { name: 'help' }],
    [['config', 'check'], { name: 'config check', flags: none }],
    [
      ['-config', 'a.yaml', 'config', 'check', '--data=d'],
      { name: 'config check', flags: { config: 'a.yaml', data: 'd' } },
    ],
    [['channel', 'test', 'ops'], { name: 'channel test', target: 'ops', platform: undefined, flags: none }],
    [
      ['channel', 'test', '告警', '-platform', 'feishu', '--config', 'c'],
      { name: 'channel test', target: '告警', platform: 'feishu', flags: { config: 'c' } },
    ],
  ])('%j', (words, command) => {
    expect(readArguments(words)).toMatchObject(command)
  })

  test.each([
    [['dance'], 1, 'there is no command dance'],
    [['config'], 1, 'there is no command config'],
    [['config', 'check', 'x'], 1, 'there is no command config check x'],
    [['serve', '--platform', 'feishu'], 1, '--platform belongs to channel test'],
    [['--port', 'x'], 1, '--port is a number from 0 to 65535, not x'],
    [['--prot', '1'], 1, "Unknown option '--prot'"],
    [['channel'], 2, 'there is no command channel'],
    [['channel', 'test'], 2, 'channel test needs the NAME'],
    [['channel', 'test', 'a', 'b'], 2, 'there is no command channel test a b'],
    [['channel', 'test', 'a', '--nope'], 2, "Unknown option '--nope'"],
  ])('%j ends with %i', (words, exitCode, text) => {
    const read = () => readArguments(words)
    expect(read).toThrow(BadArguments)
    expect(read).toThrow(expect.objectContaining({ exitCode, message: expect.stringContaining(text) }))
    expect(read).toThrow('--config FILE')
  })
})
