/** The scripts of `carillon completion`, sourced by the shells that they are for. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../helpers/program.ts'

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-completion-'))
  mkdirSync(join(folder, 'data folder'))
  writeFileSync(join(folder, 'my config.yaml'), '')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await runProgram(['completion', shell])
    writeFileSync(join(folder, `.carillon.${shell}`), out)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function run(program: string, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: folder })
  expect(stderr).toBe('')
  return stdout.trimEnd().split('\n')
}

/** Whether a shell is here, and the name of its test. */
function shell(name: string): { isMissing: boolean; title: string } {
  const isMissing = spawnSync(name, ['--version']).status !== 0
  return { isMissing, title: isMissing ? `(${name} is not here)` : 'completes commands, options and values' }
}

describe('bash', () => {
  /** What is offered, sorted. @param words as bash splits them, the last one is being typed */
  async function offered(...words: string[]): Promise<string[]> {
    const script = `source .carillon.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _carillon; printf '%s\\n' "\${COMPREPLY[@]}"`
    return (await run('bash', ['-c', script, 'bash', 'carillon', ...words])).toSorted()
  }

  const { isMissing, title } = shell('bash')
  test.skipIf(isMissing)(title, async () => {
    expect(await offered('se')).toEqual(['send', 'serve'])
    expect(await offered('config', '')).toEqual(['check', 'doc'])
    expect(await offered('send', 'me', 'hello', '--wa')).toEqual(['--wait'])
    expect(await offered('--po')).toEqual(['--port'])
    expect(await offered('completion', '')).toEqual(['bash', 'fish', 'zsh'])
    expect(await offered('config', 'check', '--config', 'my')).toEqual(['my config.yaml'])
    expect(await offered('serve', '--data', '=', '')).toEqual(['data folder'])
    expect(await offered('send', '--token', '')).toEqual([''])
  })

  test.skipIf(isMissing)(`is there for whoever sources it ${isMissing ? title : ''}`, async () => {
    expect(await run('bash', ['-c', 'source .carillon.bash; complete -p carillon'])).toEqual([
      'complete -F _carillon carillon',
    ])
  })
})

describe('zsh', () => {
  const { isMissing, title } = shell('zsh')
  test.skipIf(isMissing)(title, async () => {
    const script = join(import.meta.dirname, '../fixtures/complete.zsh')
    const typed = [
      'carillon sen',
      'carillon config ch',
      'carillon send me hello --wa',
      'carillon send --des',
      'carillon --po',
      'carillon completion z',
      'carillon config check --config my',
      'carillon serve --data da',
      'carillon store ba',
      'carillon send m',
    ]
    expect(await run('zsh', [script, '.carillon.zsh', ...typed])).toEqual([
      'carillon send ',
      'carillon config check ',
      'carillon send me hello --wait=',
      'carillon send --desp=',
      'carillon --port=',
      'carillon completion zsh ',
      String.raw`carillon config check --config my\ config.yaml `,
      String.raw`carillon serve --data data\ folder/`,
      'carillon store backup ',
      'carillon send m',
    ])
  })
})

describe('fish', () => {
  async function offered(line: string): Promise<string[]> {
    const found = await run('fish', ['--no-config', '-c', 'source .carillon.fish; complete -C $argv', line])
    return found.map((one) => one.split('\t')[0] ?? '')
  }

  const { isMissing, title } = shell('fish')
  test.skipIf(isMissing)(title, async () => {
    expect(await offered('carillon se')).toEqual(['send', 'serve'])
    expect(await offered('carillon config ')).toEqual(['check', 'doc'])
    expect(await offered('carillon send me hello --wa')).toEqual(['--wait'])
    expect(await offered('carillon completion ')).toEqual(['bash', 'fish', 'zsh'])
    expect(await offered('carillon config check --config my')).toEqual(['my config.yaml'])
    expect(await offered('carillon serve --data da')).toEqual(['data folder/'])
    expect(await offered('carillon send m')).toEqual([''])
  })
})
