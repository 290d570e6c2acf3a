/** `carillon completion`: what a shell has to know to complete a command line, made from the table of commands. */
import { defineCommand, type Command } from '../../server/cli/command.ts'
import { print } from '../../server/cli/output.ts'
import { commandsOf, type Table } from '../../server/cli/program.ts'
import { bashScript } from './completion/bash.ts'
import { fishScript } from './completion/fish.ts'
import { shapeOf } from './completion/shape.ts'
import { zshScript } from './completion/zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** The command for a table, of which it is itself a part. */
export function completionOf(table: Table): Command {
  return defineCommand({
    name: 'completion',
    usage: 'completion bash|zsh|fish',
    summary: 'Prints a script by which the shell completes commands and options',
    notes: [
      'bash   source <(carillon completion bash)        in ~/.bashrc',
      'zsh    source <(carillon completion zsh)         in ~/.zshrc, after compinit',
      'fish   carillon completion fish | source         in ~/.config/fish/config.fish',
    ],
    options: {},
    async run({ positionals: [shell] }) {
      const shapes = (await commandsOf(table)).map(shapeOf)
      const script = shell === 'bash' || shell === 'zsh' ? SCRIPTS[shell] : SCRIPTS.fish
      await print(script(shapes).trimEnd())
      return 0
    },
  })
}
