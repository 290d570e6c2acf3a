import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../server/http/body.ts'

test('a body that is cut off ends the reading of it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  const read = once(server, 'request').then(([request]) => readBody(request, 100, false))
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nhalf')
  await once(server, 'request')
  socket.destroy()
  await expect(read).rejects.toMatchObject({ code: 'bad-json', message: 'the body ended before it was whole' })
})
