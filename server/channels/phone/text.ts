/** Texts for phones: Markdown and addresses mean nothing there. */

/** more never fits; patterns below look no further */
const MOST = 4_000

/** What a reader sees of Markdown: links with their addresses behind them, code without its fences. */
export function plainOf(markdown: string): string {
  return markdown
    .slice(0, MOST)
    .split('\n')
    .filter((line) => !isMarkup(line))
    .map((line) => line.replace(/^[ \t]*(?:(?:#{1,6}|>|[-*+])[ \t]+)+/, ''))
    .join('\n')
    .replaceAll(/!\[([^\]\n]{0,200})\]\([^)\s]{0,2000}\)/g, '$1')
    .replaceAll(/\[([^\]\n]{1,200})\]\(<?([^)\s>]{1,2000})>?\)/g, '$1 $2')
    .replaceAll(/(?<!\\)(\*\*|__|~~)(?=\S)(.{1,1000}?)(?<=\S)\1/g, '$2')
    .replaceAll(/(?<![\w*\\])([*_`])(?=[^\s*_`])(.{1,1000}?)(?<=\S)\1(?![\w*])/g, '$2')
    .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
    .trim()
}

/** A fence, a rule, or the line below the head of a table. */
function isMarkup(line: string): boolean {
  return /^\s*(?:```|~~~)/.test(line) || (/^[-:|*_\s]+$/.test(line) && /([-*_])\1\1/.test(line))
}

const URLS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[!-~]*/gi
const MAILS = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g
const IPS = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)(?::\d+)?(?:\/[!-~]*)?/g
const HOSTS = /(?<![\w.-])([a-z0-9-]{1,63})(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}(?![\w-])((?::\d+)?(?:\/[!-~]*)?)/gi

/**
 * Without URLs, mail addresses, IPs and domains: providers refuse templates whose variables hold any. Of a host
 * its first label stays (`web1` of `web1.example.com`), which says which machine is meant.
 */
export function withoutAddresses(text: string): string {
  return text
    .slice(0, MOST)
    .replaceAll(URLS, ' ')
    .replaceAll(MAILS, ' ')
    .replaceAll(IPS, ' ')
    .replaceAll(HOSTS, (_, first: string, path: string) => (path === '' && !/^www$/i.test(first) ? first : ' '))
}

/** In one line, without control characters. */
export function inOneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
}
