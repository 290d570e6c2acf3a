import { describe, expect, test } from 'vitest'
import { argumentsOf, BadArguments, readWords } from '../../server/cli/arguments.ts'
import { defineCommand, type Options } from '../../server/cli/command.ts'

const options = {
  config: { type: 'string', about: '' },
  json: { type: 'boolean', short: 'j', about: '' },
  extra: { type: 'string', multiple: true, about: '' },
  wait: { type: 'string', bare: '60', about: '' },
} as const satisfies Options

function read(usage: string, ...words: string[]) {
  const { values, positionals } = readWords({ name: 'do', usage, summary: '', options, run: async () => 0 }, words)
  return { ...values, positionals }
}

describe('what was typed', () => {
  test.each([
    [['a'], { positionals: ['a'] }],
    [['a', 'b', '--config', 'x', '-j'], { positionals: ['a', 'b'], config: 'x', json: true }],
    [['-config', 'x', 'a', '-json'], { positionals: ['a'], config: 'x', json: true }],
    [['-config=x', 'a'], { positionals: ['a'], config: 'x' }],
    [['a', '--extra', 'k=v', '--extra=l='], { positionals: ['a'], extra: ['k=v', 'l='] }],
    [['a', '--wait'], { positionals: ['a'], wait: '60' }],
    [['--wait', 'a', '告警'], { positionals: ['a', '告警'], wait: '60' }],
    [['a', '--wait=5'], { positionals: ['a'], wait: '5' }],
    [['a', '--', '--wait'], { positionals: ['a', '--wait'] }],
    [['a', '--', '-config'], { positionals: ['a', '-config'] }],
    [['a', '-'], { positionals: ['a', '-'] }],
  ])('%j', (words, said) => {
    expect(read('do NAME [TEXT]', ...words)).toEqual(said)
  })

  test.each([
    ['do NAME', [], 'do needs NAME'],
    ['do NAME [TEXT]', [], 'do needs NAME'],
    ['do NAME', ['a', 'b'], 'there is one argument too many: b'],
    ['do', ['a'], 'there is one argument too many: a'],
    ['do bash|zsh', ['tcsh'], 'do needs bash|zsh, not tcsh'],
    ['do NAME', ['a', '--confg', 'x'], 'do has no option --confg; did you mean --config?'],
    ['do NAME', ['a', '-x'], 'do has no option -x (what is meant as text'],
    ['do NAME', ['a', '--config'], "'--config <value>' argument missing"],
    ['do NAME', ['a', '--json=1'], "'-j, --json' does not take an argument"],
    ['do NAME', ['a', '--wait', '30'], 'a value of --wait comes after "=": --wait=30'],
  ])('%s %j is refused', (usage, words, text) => {
    const reading = () => read(usage, ...words)
    expect(reading).toThrow(BadArguments)
    expect(reading).toThrow(text)
  })
})

test('a usage names its arguments', () => {
  expect(argumentsOf({ name: 'store copy', usage: 'store copy FROM [to|into] [--now]' })).toEqual([
    { word: 'FROM', isOptional: false, choices: [] },
    { word: 'to|into', isOptional: true, choices: ['to', 'into'] },
  ])
})

test('a command gets its words read', async () => {
  const said: unknown[] = []
  const command = defineCommand({
    name: 'do',
    usage: 'do NAME',
    summary: '',
    options,
    async run({ values: { wait, json = false }, positionals }) {
      said.push(wait, json, positionals)
      return 3
    },
  })
  expect(await command.run(['a', '--wait'])).toBe(3)
  expect(said).toEqual(['60', false, ['a']])
  await expect(command.run([])).rejects.toThrow(BadArguments)
})
