import { families, firstWords, quoted, secondWord, type Shape, type ShapedOption, type Value } from './shape.ts'

/** For zsh: sourced after compinit, or as the file \`_carillon\` in its fpath. */
export function zshScript(shapes: readonly Shape[]): string {
  return `#compdef carillon

_carillon() {
  local name
  local -a offered
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    offered=(${[...firstWords(shapes)].map(([word, about]) => described(word, about)).join(' ')})
    _describe command offered
    return
  fi
  name=$words[2]
  case $name in
    -*) name=serve; words=(carillon $words); (( CURRENT += 1 )) ;;
${[...families(shapes)].map(familyOf).join('\n')}
  esac
  shift words
  (( CURRENT -= 1 ))
  case $name in
${shapes.map(commandOf).join('\n')}
  esac
}

if [[ $funcstack[1] == _carillon ]]; then
  _carillon "$@"
else
  compdef _carillon carillon
fi
`
}

function familyOf([first, members]: readonly [string, readonly Shape[]]): string {
  const words = members.map((member) => described(secondWord(member), member.summary)).join(' ')
  return `    ${quoted(first)})
      if (( CURRENT == 3 )); then
        offered=(${words})
        _describe command offered
        return
      fi
      name="$name $words[3]"
      shift words
      (( CURRENT -= 1 )) ;;`
}

function commandOf({ name, options, arguments: known }: Shape): string {
  const places = known.map(({ word, value, isOptional }, at) =>
    // of a place where nothing is known zsh would tell its name, and then insert no option either
    quoted(`${at + 1}:${isOptional ? ':' : ''}${escaped(word)}:${value === 'any' ? '()' : offer(value)}`),
  )
  return `    ${quoted(name)})
      _arguments ${[...options.map(optionOf), ...places].join(' \\\n        ')} ;;`
}

function optionOf({ name, about, value, word, isBare, isRepeated }: ShapedOption): string {
  const many = isRepeated ? '*' : ''
  const shown = `[${escaped(about)}]`
  if (value === null) return quoted(`${many}--${name}${shown}`)
  // "=-": a value may only stand in the same word, "::": it may be missing
  return quoted(`${many}--${name}=${isBare ? '-' : ''}${shown}${isBare ? '::' : ':'}${escaped(word)}:${offer(value)}`)
}

function offer(value: Value): string {
  if (value === 'any') return ' '
  if (value === 'files') return '_files'
  return value === 'directories' ? '_files -/' : `(${value.join(' ')})`
}

function described(word: string, about: string): string {
  return quoted(`${word}:${about.replaceAll(':', String.raw`\:`)}`)
}

function escaped(text: string): string {
  return text.replaceAll(/[:[\]\\]/g, String.raw`\$&`)
}
