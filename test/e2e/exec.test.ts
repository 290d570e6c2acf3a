/** `carillon listen --exec`: a command of the user's for each message. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HASTY, push, useStage, visited } from '../helpers/listeners.ts'

const { data, startHub, listening, run } = useStage()

test('the shell gets the title on stdin and all of it in the environment; acked when it ended with 0', async () => {
  const hub = await startHub()
  const command = `'cat; echo "$CARILLON_MID|$CARILLON_TEXT|$CARILLON_DESP|$CARILLON_FROM|$CARILLON_EXTRA"'`
  const listener = await listening(`me --url ${hub.url} --exec ${command}`)
  const text = encodeURIComponent(`a 'quoted' $(title)`)
  expect(await push(hub, `me.send?text=${text}&desp=world&colour=red`)).toMatchObject({ data: { me: 'ok' } })
  await listener.printed(/^a 'quoted' \$\(title\)\n\d{13}\|a 'quoted' \$\(title\)\|world\|\|\{"colour":"red"\}\n/m)
})

test('a command that fails: not acked, it comes again until it does not', async () => {
  const hub = await startHub({ ...HASTY, CARILLON_WEBSOCKET__RETRY_TIMEOUT: '200' })
  const listener = await listening(
    `me --url ${hub.url} --count 1 --exec 'echo "$CARILLON_TEXT" >> tries; test -e mended || exit 3'`,
  )
  expect(await push(hub, 'me.send?text=a', 'try-1')).not.toMatchObject({ data: { me: 'ok' } })
  await listener.printed(/^\d{13}: the command ended with 3; not acknowledged, it comes again$/m)
  writeFileSync(join(data(), 'mended'), '')
  expect(await listener.ended).toBe(0)
  expect(await push(hub, 'me.send?text=a', 'try-1')).toMatchObject({ data: { me: 'ok' } })
  expect(readFileSync(join(data(), 'tries'), 'utf8')).toMatch(/^(a\n){2,}$/)
})

test('--json: the message on stdout, what the command prints on stderr', async () => {
  const hub = await startHub()
  const args = ['listen', 'me', '--url', hub.url, '--json', '--once', '--exec', 'echo done']
  const listening = run(args)
  await visited(hub)
  await push(hub, 'me.send?text=a')
  const { code, out, err } = await listening
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ text: 'a' })
  expect(err).toContain('done\n')
})

test('a command that does not read, and a message too long for a variable', async () => {
  const hub = await startHub({ CARILLON_HTTP__MAX_BODY: '1000000', CARILLON_WEBSOCKET__MAX_FRAME: '1000000' })
  const listener = await listening(`me --url ${hub.url} --count 1 --exec 'echo "<$CARILLON_TEXT>"'`)
  const response = await fetch(`${hub.url}/me.send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'x'.repeat(300_000) }),
  })
  expect(await response.json()).toMatchObject({ data: { me: 'ok' } })
  await listener.printed('<>\n')
  expect(await listener.ended).toBe(0)
})

test('a signal lets the command at work end, and its message is acked', async () => {
  const hub = await startHub()
  // a session of its own, as a signal to the group would end the command, too
  const listener = await listening(
    `me --url ${hub.url} --exec 'exec setsid sh -c "echo began; until test -e go; do sleep 0.05; done; echo ended"'`,
  )
  const reply = push(hub, 'me.send?text=a')
  await listener.printed('began\n')
  const stopped = listener.stop('SIGTERM')
  writeFileSync(join(data(), 'go'), '')
  await stopped
  expect(await listener.ended).toBe(0)
  expect(listener.output()).toContain('ended\n')
  expect(await reply).toMatchObject({ data: { me: 'ok' } })
})
