/** What the program writes only its user can read, however careless that user's umask is. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../helpers/client.ts'
import { PROGRAM_TOKEN, startProgram } from './program.ts'

test.skipIf(process.platform === 'win32')('folders are 0700 and files 0600, of the store and the log', async () => {
  const before = process.umask(0)
  onTestFinished(() => void process.umask(before))
  const program = await startProgram('log: {output: both}\nclients: [{name: me}]')
  const client = await connect(program.url.replace('http', 'ws'))
  client.send('AUTH', { token: PROGRAM_TOKEN, name: 'you', device: 'phone' })
  await client.next('AUTH')
  client.send('REGISTER_FCM', { token: 't' })
  for (let n = 0; n < 5; n += 1) await (await fetch(`${program.url}/me.send?idem=${n}`)).text()
  await client.settled()
  client.socket.terminate()
  expect(await program.stop()).toBe(0)

  for (const folder of ['data', 'log']) {
    const names = readdirSync(join(program.cwd, folder), { recursive: true, encoding: 'utf8' })
    expect(names.length).toBeGreaterThan(folder === 'data' ? 5 : 1)
    const modes = ['', ...names].map((name) => {
      const stat = lstatSync(join(program.cwd, folder, name))
      return [join(folder, name), (stat.mode & 0o777).toString(8), stat.isDirectory() ? '700' : '600']
    })
    for (const [name, mode, expected] of modes) expect.soft(mode, name).toBe(expected)
  }
})
