/** config/channels/<name>.md: how a channel is set up and what to expect of it, in two languages. */
import { stringify } from 'yaml'
import type { Channel, Limit, Rate, Words } from '../../server/channels/channel.ts'
import { ANY_NAME, type ConfigKey, meaningOf, nameOf } from '../../server/config/keys.ts'
import { defaultOf, tableOf } from './table.ts'

const HEAD = ['key', 'type', 'default', 'meaning', '含义']

/** @param keys of the whole schema */
export function channelPageOf(channel: Channel, keys: readonly ConfigKey[]): string {
  const { name, title, credentials, section } = channel
  const place = platformPath(name)
  const own = keys.filter(({ path }) => path.length > place.length && place.every((part, at) => part === path[at]))
  return `# ${title.en} · ${title.zh}

<!-- Written by \`npm run docs\` from server/channels/${name}.ts. Do not edit. -->

${credentials.en}

${credentials.zh}

## What to expect · 说明

${factsOf(channel)
  .map(({ en, zh }) => `- ${en} · ${zh}`)
  .join('\n')}

## Keys · 配置项

Under \`${nameOf(place)}\`; strategies and everything else of a recipient: [\`recipients\`](../README.md#recipients). ·
位于 \`${nameOf(place)}\` 之下；接收者的策略等其他配置见 [\`recipients\`](../README.md#recipients)。
${section === null ? '' : sectionNote(name)}
${tableOf(
  HEAD,
  own.map((key) => rowOf(key, place.length)),
)}

## Example · 示例

\`\`\`yaml
${stringify({ recipients: { ops: { platforms: { [name]: channel.example } } } }, { lineWidth: 0 })}\`\`\`
`
}

/** Where the platform of a channel stands in the config. */
export function platformPath(channel: string): readonly string[] {
  return ['recipients', ANY_NAME, 'platforms', channel]
}

function rowOf(key: ConfigKey, depth: number): readonly string[] {
  return [`\`${nameOf(key.path.slice(depth))}\``, key.type, defaultOf(key), ...meaningOf(key)]
}

function sectionNote(name: string): string {
  return `
The section [\`${name}\`](../README.md#${name}) holds for all of them. · 公共配置见 [\`${name}\`](../README.md#${name}) 一节。
`
}

function factsOf({ capabilities: { success, limits, rates, ordered, onUnknown } }: Channel): readonly Words[] {
  return [
    successWords[success],
    limits === null ? { en: 'A message may be as long as one likes.', zh: '消息长度不限。' } : lengthOf(limits),
    ...(rates.length === 0 ? [] : [ratesOf(rates)]),
    ordered ? inOrder : anyOrder,
    unknownWords[onUnknown],
  ]
}

const successWords = {
  delivered: {
    en: 'Success means that the receiving program has it: the state is `delivered`.',
    zh: '成功表示接收程序已收到，状态为 `delivered`。',
  },
  accepted: {
    en: 'Success means that the provider took it: the state is `accepted`. Whether anybody saw it is not known.',
    zh: '成功表示服务商已受理，状态为 `accepted`；是否有人看到无从得知。',
  },
}

const inOrder = {
  en: 'Messages come in the order they were accepted: a retry holds back what came later.',
  zh: '消息按受理顺序到达：重试期间后面的消息会等待。',
}
const anyOrder = { en: 'A retry may come after a newer message.', zh: '重试的消息可能晚于更新的消息到达。' }

const unknownWords = {
  retry: {
    en: 'Where the answer is lost it is sent again, so it may come twice.',
    zh: '未收到应答时会重发，因此可能重复。',
  },
  skip: {
    en: 'Where the answer is lost it is not sent again: nobody is disturbed twice.',
    zh: '未收到应答时不会重发，以免重复打扰。',
  },
}

function lengthOf({ text, card }: { readonly text: Limit; readonly card: Limit }): Words {
  const [ofText, ofCard] = [limitOf(text), limitOf(card)]
  const rest = { en: 'what is longer is cut into parts or shortened', zh: '更长的会分段或截断' }
  if (ofText.en === ofCard.en) {
    return { en: `A message holds ${ofText.en}; ${rest.en}.`, zh: `单条消息最多 ${ofText.zh}，${rest.zh}。` }
  }
  return {
    en: `A text holds ${ofText.en}, a card ${ofCard.en}; ${rest.en}.`,
    zh: `文本最多 ${ofText.zh}，卡片最多 ${ofCard.zh}，${rest.zh}。`,
  }
}

function limitOf({ max, unit }: Limit): Words {
  const number = max.toLocaleString('en')
  return {
    bytes: { en: `${number} bytes of UTF-8`, zh: `${number} 字节（UTF-8）` },
    utf16: { en: `${number} UTF-16 units`, zh: `${number} 个 UTF-16 单元` },
    codepoints: { en: `${number} characters`, zh: `${number} 个字符` },
    body: { en: `${number} bytes with all that is around it`, zh: `${number} 字节（整个请求体）` },
  }[unit]
}

function ratesOf(rates: readonly Rate[]): Words {
  const each = rates.map(({ count, perMs }) => {
    const number = count.toLocaleString('en')
    const known = periods.get(perMs)
    const seconds = (perMs / 1000).toLocaleString('en')
    return known
      ? { en: `${number} a ${known.en}`, zh: `每${known.zh} ${number} 条` }
      : { en: `${number} in ${seconds} s`, zh: `每 ${seconds} 秒 ${number} 条` }
  })
  const listed = { en: each.map(({ en }) => en).join(' and '), zh: each.map(({ zh }) => zh).join('、') }
  return {
    en: `No more than ${listed.en} to one of them; what comes faster waits.`,
    zh: `每个地址最多${listed.zh}，超出的会等待。`,
  }
}

const periods: ReadonlyMap<number, Words> = new Map([
  [1_000, { en: 'second', zh: '秒' }],
  [60_000, { en: 'minute', zh: '分钟' }],
  [3_600_000, { en: 'hour', zh: '小时' }],
  [86_400_000, { en: 'day', zh: '天' }],
])
