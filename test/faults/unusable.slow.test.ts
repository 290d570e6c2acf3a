import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, Scene } from './scene.ts'

test.each([
  ['with a token in the config', {}],
  ['that is to keep a token', { token: undefined }],
])('a data folder that cannot be made, %s, is told in one line', async (_, config) => {
  const scene = await Scene.make(config)
  const file = join(scene.dir, 'a-file')
  await writeFile(file, '')
  const data = join(file, 'data')
  const hub = scene.spawn(data)
  await ended(hub)
  await scene.remove()
  expect(hub.child.exitCode).toBe(1)
  expect(hub.output()).toContain(`carillon: the data folder ${data} cannot be used: ENOTDIR`)
  expect(hub.output()).not.toMatch(/^ {4}at /m)
})
