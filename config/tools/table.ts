/** Tables of keys in Markdown, as all generated pages have them. */
import type { ConfigKey } from '../../server/config/keys.ts'

/** Rows under a head; a `|` inside a cell is text. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const escaped = rows.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...escaped.map(line)].join('\n')
}

export function defaultOf(key: ConfigKey): string {
  if (key.isRequired) return 'required'
  return key.default === undefined || key.kind === 'section' ? '' : `\`${JSON.stringify(key.default)}\``
}
