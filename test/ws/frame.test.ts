import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { textFrame } from '../../server/ws/frame.ts'

/** What a client by ws reads when the frames are written past ws. */
async function readByClient(frames: readonly Buffer[]): Promise<string[]> {
  const sockets = new WebSocketServer({ noServer: true })
  const http = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void http.close())
  http.on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, (socket) => {
      for (const frame of frames) stream.write(frame)
      socket.close()
    })
  })
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  const texts: string[] = []
  client.on('message', (data: Buffer, isBinary) => void texts.push(`${isBinary} ${data.toString()}`))
  await once(client, 'close')
  return texts
}

test('a text of any length is read as it was written, before the close behind it', async () => {
  const texts = ['', 'ü', ...[125, 126, 127, 65_535, 65_536, 200_000].map((length) => 'x'.repeat(length))]
  const read = await readByClient(texts.map((text) => textFrame(Buffer.from(text))))
  expect(read.map((text) => text.length)).toEqual(texts.map((text) => text.length + 'false '.length))
  expect(read).toEqual(texts.map((text) => `false ${text}`))
})

test('the frame of a text that goes to many is built once', () => {
  const [one, other] = [Buffer.from('one'), Buffer.from('other')]
  const frame = textFrame(one)
  expect(textFrame(one)).toBe(frame)
  expect(textFrame(other)).not.toEqual(frame)
  expect(textFrame(one)).toEqual(frame)
})
