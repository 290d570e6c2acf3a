import { type Content, type Level, LEVELS } from '../channels/content.ts'
import type { Message } from '../store/store.ts'
import { messageFrame } from './frame.ts'

/**
 * The message as channels render it: `text` is the title and `desp` the body; `extra` may give `type` (the
 * level), `style` and `url`.
 */
export function contentOf(message: Message, recipient: string, confirmUrl: string | null): Content {
  const frame = messageFrame(message)
  const { text, desp, extra } = frame.message
  return {
    frame,
    title: text === '' ? desp : text,
    body: text === '' ? '' : desp,
    level: levelOf(extra['type']),
    style: extra['style'] === 'card' ? 'card' : 'text',
    at: message.at,
    recipient,
    link: linkOf(extra['url']),
    confirmUrl,
  }
}

function levelOf(type: unknown): Level {
  return LEVELS.find((level) => level === type) ?? 'info'
}

function linkOf(url: unknown): string | null {
  return typeof url === 'string' && /^https?:\/\//i.test(url) && URL.canParse(url) ? url : null
}
