/** A new channel is one new file: with nothing else touched it can be configured, checked and sent through. */
import { execFile } from 'node:child_process'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../helpers/folder.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** As the build would leave it. */
const PIGEON = `
import * as z from 'zod'
import { defineChannel } from './channel.js'

export default defineChannel({
  name: 'pigeon',
  title: { en: 'Pigeon', zh: '信鸽' },
  credentials: { en: 'Ask the loft.', zh: '询问鸽舍。' },
  platform: z.strictObject({
    enabled: z.boolean().default(true).meta({ description: 'whether it is used', zh: '是否启用' }),
    lofts: z.array(z.string()).min(1).meta({ description: 'where they fly', zh: '目的地' }),
  }),
  example: { lofts: ['north'] },
  capabilities: { ordered: false, onUnknown: 'skip', shared: true, success: 'accepted', limits: null, rates: [] },
  addresses: ({ lofts }) => lofts.map((loft) => ({ id: loft, name: loft, address: loft, secrets: [] })),
  server: () => null,
  render: ({ title }) => [title],
  send: async (part, loft) => ({ kind: 'accepted', detail: part.length + ' characters to ' + loft }),
})
`

test('a file in channels/ is a channel, everywhere at once', async () => {
  const { dir: folder, remove } = await temporaryFolder()
  onTestFinished(remove)
  for (const part of ['dist/server', 'dist/clients']) cpSync(join(root, part), join(folder, part), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'dist/server/channels/pigeon.js'), PIGEON)
  const config = 'recipients: {ops: {platforms: {pigeon: {lofts: [north]}}}}\n'
  writeFileSync(join(folder, 'config.yaml'), `token: a-token-of-16-characters\n${config}`, { mode: 0o600 })
  const carillon = (...words: string[]) =>
    run(process.execPath, ['dist/clients/cli/carillon.js', ...words], { cwd: folder })

  expect((await carillon('config', 'check')).stdout).toContain('ops\n  pigeon: north')
  expect((await carillon('channel', 'test', 'ops')).stdout).toMatch(
    /^ops \/ pigeon \/ north: accepted: \d+ characters to north\n$/,
  )

  writeFileSync(join(folder, 'config.yaml'), config.replace('lofts', 'loft'), { mode: 0o600 })
  const mistaken = await carillon('config', 'check').catch((error: { stderr: string }) => error)
  expect(mistaken.stderr).toContain('recipients.ops.platforms.pigeon.loft: there is no such key')
  expect(mistaken.stderr).toContain('did you mean recipients.ops.platforms.pigeon.lofts?')
})
