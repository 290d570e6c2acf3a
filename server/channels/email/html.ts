/** The HTML of a mail: a bar in the colour of the level, title, text, and links as buttons. No tables, no images. */
import { type Content, looks } from '../content.ts'
import { escaped } from '../text/escape.ts'
import { linksOf } from '../text/links.ts'
import { markdownToHtml } from './markdown.ts'

const styles = {
  page: "margin:0;padding:16px;background:#f3f4f6;color:#1f2328;font:15px/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif",
  card: 'max-width:640px;margin:0 auto;background:#ffffff;border-radius:6px;overflow-wrap:anywhere;border-top:6px solid ',
  inside: 'padding:20px 24px 24px',
  title: 'margin:0 0 16px;font-size:20px;line-height:1.4',
  buttons: 'margin:20px 0 0',
  button:
    'display:inline-block;margin:0 8px 8px 0;padding:8px 18px;border-radius:4px;color:#1f2328;text-decoration:none;font-weight:bold;border:2px solid ',
} as const

/** A whole document; its styles are attributes, for many mail programs drop style sheets. */
export function htmlOf(content: Content): string {
  const { title, body, level } = content
  const { color, emoji } = looks[level]
  return [
    '<!doctype html>',
    '<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<meta name="color-scheme" content="light"><title>${escaped(title)}</title></head>`,
    `<body style="${styles.page}">`,
    `<div style="${styles.card}${color}"><div style="${styles.inside}">`,
    `<h1 style="${styles.title}">${emoji} ${escaped(title)}</h1>`,
    markdownToHtml(body),
    buttonsOf(content, color),
    '</div></div></body></html>',
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** The words stay dark on white: no level's colour takes away from them. */
function buttonsOf(content: Content, color: string): string {
  const buttons = linksOf(content).map(
    ({ text, url }) => `<a href="${escaped(url)}" style="${styles.button}${color}">${escaped(text)}</a>`,
  )
  return buttons.length === 0 ? '' : `<div style="${styles.buttons}">${buttons.join('\n')}</div>`
}
