/** config/README.md: every key, its type, default, environment name and meaning in two languages. */
import { environmentName } from '../../server/config/environment.ts'
import type { ConfigKey } from '../../server/config/keys.ts'

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

const TABLE = `| key | type | default | environment | meaning | 含义 |
|---|---|---|---|---|---|`

/** @param keys of the whole schema, in its order */
export function referenceOf(keys: readonly ConfigKey[]): string {
  const top = keys.filter(({ path }) => path.length === 1)
  const plain = top.filter(({ kind }) => kind === 'value')
  const parts = top.filter(({ kind }) => kind !== 'value').map((section) => sectionOf(section, keys))
  return `${HEAD}\n## General · 通用\n\n${tableOf(plain)}\n${parts.join('')}`
}

function sectionOf(section: ConfigKey, keys: readonly ConfigKey[]): string {
  const name = section.path.join('.')
  const within = keys.filter(({ path, kind }) => path[0] === name && path.length > 1 && kind !== 'section')
  const rows = section.kind === 'list' ? [section, ...within] : within
  const meaning = [section.description, section.zh].filter((text) => text !== '').join(' · ')
  return `\n## \`${name}\`\n\n${meaning === '' ? '' : `${meaning}\n\n`}${tableOf(rows)}\n`
}

function tableOf(rows: readonly ConfigKey[]): string {
  return [TABLE, ...rows.map(rowOf)].join('\n')
}

function rowOf(key: ConfigKey): string {
  const name = key.path.join('.').replaceAll('.[]', '[]')
  const inList = key.path.includes('[]')
  const cells = [
    `\`${name}\``,
    key.type,
    key.isRequired ? 'required' : key.default === undefined ? '' : `\`${JSON.stringify(key.default)}\``,
    inList ? '' : `\`${environmentName(key.path)}\``,
    key.description,
    key.zh,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
