import {
  families,
  firstWords,
  placeOf,
  quoted,
  secondWord,
  type Shape,
  type ShapedOption,
  type Value,
} from './shape.ts'

/** For fish from 3.0 on. */
export function fishScript(shapes: readonly Shape[]): string {
  return `# whether exactly these words stand before the one that is being typed
function __carillon_typed
    set -l words (commandline -opc)
    test "$words[2..-1]" = "$argv"
end

# whether the command is these words
function __carillon_in
    set -l words (commandline -opc)
    set -l last (math 1 + (count $argv))
    test (count $words) -ge $last; and test "$words[2..$last]" = "$argv"
end

complete -c carillon -f
${[...firstWords(shapes)].map(([word, about]) => line('__carillon_typed', `-a ${quoted(word)}`, about)).join('\n')}
${[...families(shapes)].flatMap(([first, members]) => members.map((member) => line(`__carillon_typed ${first}`, `-a ${quoted(secondWord(member))}`, member.summary))).join('\n')}
${shapes.flatMap(commandOf).join('\n')}
`
}

function commandOf(shape: Shape): readonly string[] {
  const lines = shape.options.map((option) => optionOf(shape.name, option))
  const place = offer(placeOf(shape))
  return place === '' ? lines : [...lines, line(`__carillon_in ${shape.name}`, place, '')]
}

function optionOf(command: string, { name, about, value, isBare }: ShapedOption): string {
  const takes = value === null || isBare ? '' : `r ${offer(value)}`.trimEnd()
  return line(`__carillon_in ${command}`, `-l ${name}${takes === '' ? '' : ` -${takes}`}`, about)
}

function offer(value: Value): string {
  if (value === 'any') return ''
  if (value === 'files') return '-F'
  return value === 'directories' ? `-a '(__fish_complete_directories)'` : `-a ${quoted(value.join(' '))}`
}

function line(condition: string, what: string, about: string): string {
  return `complete -c carillon -n ${quoted(condition)} ${what}${about === '' ? '' : ` -d ${quoted(about)}`}`
}
