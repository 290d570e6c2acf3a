import { families, firstWords, placeOf, quoted, secondWord, type Shape, type Value } from './shape.ts'

/** For bash from 3.2 on, which macOS has, with or without the package bash-completion. */
export function bashScript(shapes: readonly Shape[]): string {
  return `_carillon_offer() {
  local IFS=$'\\n'
  case "$1" in
    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    directories) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    words) COMPREPLY=($(compgen -W "\${2// /$'\\n'}" -- "$cur")) ;;
  esac
}

_carillon() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" name
  COMPREPLY=()
  # bash takes --data=x for three words
  if [ "$cur" = = ]; then
    cur=''
  elif [ "$prev" = = ]; then
    prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if [ "$COMP_CWORD" = 1 ] && [ "\${cur:0:1}" != - ]; then
    _carillon_offer words ${quoted([...firstWords(shapes).keys()].join(' '))}
    return
  fi
  name="\${COMP_WORDS[1]}"
  case "$name" in
    -*) name=serve ;;
${[...families(shapes)].map(familyOf).join('\n')}
  esac
  case "$name" in
${shapes.map(commandOf).join('\n')}
  esac
}

complete -F _carillon carillon
`
}

function familyOf([first, members]: readonly [string, readonly Shape[]]): string {
  const words = members.map(secondWord).join(' ')
  return `    ${quoted(first)})
      if [ "$COMP_CWORD" = 2 ]; then
        _carillon_offer words ${quoted(words)}
        return
      fi
      name="$name \${COMP_WORDS[2]}" ;;`
}

function commandOf(shape: Shape): string {
  const { name, options } = shape
  const valued = options.filter(({ value, isBare }) => value !== null && !isBare)
  const cases = [...new Set(valued.map(({ value }) => offer(value)))].map((what) => {
    const alike = valued.filter(({ value }) => offer(value) === what).map((option) => `--${option.name}`)
    return `        ${alike.join('|')}) ${what === '' ? '' : `${what}; `}return ;;`
  })
  const place = offer(placeOf(shape))
  return `    ${quoted(name)})
${cases.length === 0 ? '' : `      case "$prev" in\n${cases.join('\n')}\n      esac\n`}      if [ "\${cur:0:1}" = - ]; then
        _carillon_offer words ${quoted(options.map((option) => `--${option.name}`).join(' '))}${place === '' ? '' : `\n      else\n        ${place}`}
      fi ;;`
}

function offer(value: Value | null): string {
  if (value === 'any' || value === null) return ''
  return typeof value === 'string' ? `_carillon_offer ${value}` : `_carillon_offer words ${quoted(value.join(' '))}`
}
