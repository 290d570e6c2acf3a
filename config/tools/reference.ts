/** config/README.md: every key, its type, default, environment name and meaning in two languages. */
import type { Channel } from '../../server/channels/channel.ts'
import { environmentName } from '../../server/config/environment.ts'
import { type ConfigKey, isFixed, meaningOf, nameOf } from '../../server/config/keys.ts'
import { platformPath } from './channel-page.ts'
import { defaultOf, tableOf } from './table.ts'

const HEAD = `# Configuration · 配置

<!-- Written by \`npm run docs\` from server/config/schema.ts and the channels. Do not edit. -->

Without any config the hub listens on 127.0.0.1:9093, keeps its data in \`./data\` and makes a random token at its first
start. A config file is looked for in this order: \`--config FILE\`, \`./config.json\`, \`./config.yaml\`,
\`config/config.yaml\`, \`config/config.json\`; the path that was read is printed. JSON may have comments and trailing
commas, an mpush \`config.json\` is read as it is. With a file that names no \`http.host\` the hub listens on all
interfaces, as mpush did.

What wins: flags, then the environment, then the file, then the defaults. Lists and sections in the environment are
written as JSON. \`\${env:NAME}\` and \`\${file:/path}\` inside any text of the file stand for a secret kept elsewhere.
Every mistake is reported at once, an unknown key with the nearest known one.

不需要任何配置即可启动:监听 127.0.0.1:9093,数据保存在 \`./data\`,首次启动时生成随机 token。配置文件按以下顺序查找:
\`--config FILE\`、\`./config.json\`、\`./config.yaml\`、\`config/config.yaml\`、\`config/config.json\`,启动时会打印实际读取的路径。
JSON 允许注释和尾随逗号,mpush 的 \`config.json\` 可直接使用。有配置文件但未设置 \`http.host\` 时,与 mpush 一样监听所有网卡。

优先级:命令行参数 > 环境变量 > 配置文件 > 默认值。环境变量中的列表和对象用 JSON 书写。文件中的文本可用 \`\${env:NAME}\` 和
\`\${file:/path}\` 引用存放在别处的密钥。所有错误会一次性列出,未知的键会提示最接近的已知键。

A complete example is [config.example.yaml](config.example.yaml). · 完整示例见 [config.example.yaml](config.example.yaml)。
`

const HEAD_OF_KEYS = ['key', 'type', 'default', 'environment', 'meaning', '含义']
const PLATFORMS = platformPath('').slice(0, -1)

/** @param keys of the whole schema, in its order */
export function referenceOf(keys: readonly ConfigKey[], channels: readonly Channel[]): string {
  const top = keys.filter(({ path }) => path.length === 1)
  const plain = top.filter(({ kind }) => kind === 'value')
  const parts = top
    .filter(({ kind }) => kind !== 'value')
    .map((section) => {
      const isRecipients = section.path[0] === PLATFORMS[0]
      return sectionOf(section, keys) + (isRecipients ? channelsOf(channels) : '')
    })
  return `${HEAD}\n## General · 通用\n\n${tableOfKeys(plain)}\n${parts.join('')}`
}

/** What is inside a platform has a page of its own. */
function sectionOf(section: ConfigKey, keys: readonly ConfigKey[]): string {
  const name = nameOf(section.path)
  const within = keys.filter((key) => key.path[0] === name && key.path.length > 1 && !isInPlatform(key))
  const rows = section.kind === 'section' ? within : [section, ...within]
  const meaning = [section.description, section.zh].filter((text) => text !== '').join(' · ')
  return `\n## \`${name}\`\n\n${meaning === '' ? '' : `${meaning}\n\n`}${tableOfKeys(rows)}\n`
}

function channelsOf(channels: readonly Channel[]): string {
  const rows = channels.map(({ name, title }) => [`[\`${name}\`](channels/${name}.md)`, title.en, title.zh])
  const place = nameOf(PLATFORMS)
  return `
\`${place}\` holds any of these, tried in the order they are written; each has a page of its own. · \`${place}\`
下可写以下任意平台，按书写顺序依次尝试；每个平台各有一页说明。

${tableOf(['platform', 'reaches', '平台'], rows)}
`
}

function isInPlatform({ path }: ConfigKey): boolean {
  return path.length > PLATFORMS.length && PLATFORMS.every((part, at) => part === path[at])
}

function tableOfKeys(rows: readonly ConfigKey[]): string {
  return tableOf(HEAD_OF_KEYS, rows.map(rowOf))
}

function rowOf(key: ConfigKey): readonly string[] {
  const environment = isFixed(key) ? `\`${environmentName(key.path)}\`` : ''
  return [`\`${nameOf(key.path)}\``, key.type, defaultOf(key), environment, ...meaningOf(key)]
}
