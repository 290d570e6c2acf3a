/** A folder of its own for each test, and configs read in it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigMistakes, type Flags, readConfig, type ReadConfig } from '../../server/config.ts'

export const STRONG = 'a-token-of-16-characters-or-more'

type Environment = Readonly<Record<string, string>>

export interface ConfigFolder {
  readonly cwd: string
  /** Writes a file that only its owner can read. */
  file(name: string, text: string): void
  /** Reads the config as the program does; data goes to `data` in the folder. */
  read(flags?: Flags, env?: Environment): Promise<ReadConfig>
  /** The mistakes of a config that is not taken. */
  mistakes(flags?: Flags, env?: Environment): Promise<readonly string[]>
}

export function configFolder(): ConfigFolder {
  const cwd = mkdtempSync(join(tmpdir(), 'carillon-config-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))

  function read(flags: Flags = {}, env: Environment = {}) {
    return readConfig({ flags: { data: join(cwd, 'data'), ...flags }, env, cwd })
  }
  return {
    cwd,
    file(name, text) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true })
      writeFileSync(join(cwd, name), text, { mode: 0o600 })
    },
    read,
    async mistakes(flags, env) {
      const error: unknown = await read(flags, env).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (!(error instanceof ConfigMistakes)) throw new Error('the config was taken', { cause: error })
      return error.problems
    },
  }
}
