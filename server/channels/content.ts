/** What a message says, as channels render it: title, body, level, and where its reader may click. */
import type { MessageFrame } from '../protocol/packets.ts'

export const LEVELS = ['info', 'warning', 'error', 'success'] as const
export type Level = (typeof LEVELS)[number]

/** A message on its way out through a channel. */
export interface Content {
  /** as mpush receivers know it, with everything that the sender added */
  readonly frame: MessageFrame
  /** never empty where the message says anything at all */
  readonly title: string
  /** may be empty; Markdown where `style` is `card` */
  readonly body: string
  readonly level: Level
  readonly style: 'text' | 'card'
  /** ms since epoch, when the message was accepted */
  readonly at: number
  /** the recipient as the operator calls it */
  readonly recipient: string
  /** where the message leads (`extra.url`), http or https */
  readonly link: string | null
  /** opens the page where a person confirms; null where no confirm is asked for */
  readonly confirmUrl: string | null
}

/** How a level looks. Hex with `#`; what a vendor names by a word of its own is derived here and nowhere else. */
export const looks: Readonly<
  Record<
    Level,
    {
      readonly emoji: string
      readonly color: string
      /** header template of Feishu cards */
      readonly feishu: string
      /** font colour of WeCom markdown */
      readonly wecom: 'info' | 'comment' | 'warning'
      /** container style of Adaptive Cards */
      readonly adaptive: 'accent' | 'warning' | 'attention' | 'good'
      /** X-Priority and Importance of mails */
      readonly importance: 'normal' | 'high'
    }
  >
> = {
  info: { emoji: 'ℹ️', color: '#3AA3E3', feishu: 'blue', wecom: 'info', adaptive: 'accent', importance: 'normal' },
  warning: {
    emoji: '⚠️',
    color: '#E6A23C',
    feishu: 'orange',
    wecom: 'warning',
    adaptive: 'warning',
    importance: 'high',
  },
  error: { emoji: '🔴', color: '#A32037', feishu: 'red', wecom: 'warning', adaptive: 'attention', importance: 'high' },
  success: { emoji: '✅', color: '#3AA337', feishu: 'green', wecom: 'info', adaptive: 'good', importance: 'normal' },
}

/** Title and body as plain text: for text messages of channels without a title of their own. */
export function plainText({ title, body }: Content): string {
  return body === '' ? title : `${title}\n${body}`
}
