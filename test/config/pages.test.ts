/** The pages about strategies and migration: their configs are read, their links lead somewhere, both languages agree. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configFolder } from '../helpers/config.ts'

const root = join(import.meta.dirname, '../..')
const pages = ['config/strategies', 'config/migration'] as const
const files = [...pages, 'config/monitoring', 'README'].flatMap((page) => [`${page}.md`, `${page}.zh-CN.md`])

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function fencesOf(file: string): readonly { readonly kind: string; readonly text: string }[] {
  return [...textOf(file).matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text }))
}

/** The name that a heading has in a link, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

function anchorsOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

describe.each(pages)('%s', (page) => {
  test('has the same commands, configs and answers in both languages', () => {
    expect(fencesOf(`${page}.zh-CN.md`)).toEqual(fencesOf(`${page}.md`))
  })

  test('shows configs that the hub takes', async () => {
    const configs = fencesOf(`${page}.md`).filter(({ kind }) => kind === 'yaml' || kind === 'json')
    expect(configs.length).toBeGreaterThan(0)
    for (const { kind, text } of configs) {
      const folder = configFolder()
      folder.file(`config.${kind}`, text)
      const { config } = await folder.read({}, { TWILIO_AUTH_TOKEN: 'made-up' })
      expect(config.http.port, text).toBeGreaterThan(0)
    }
  })
})

test.each(files)('every link of %s leads somewhere', (file) => {
  const links = [...textOf(file).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)]
  expect(links.length).toBeGreaterThan(0)
  for (const [link, path = '', anchor] of links) {
    const target = path === '' ? file : join(dirname(file), path)
    expect(existsSync(join(root, target)), link).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(target), link).toContain(decodeURIComponent(anchor))
  }
})
