import { expect, test } from 'vitest'
import { encodeFrame, messageFrame } from '../../server/hub/frame.ts'
import type { Message } from '../../server/store/store.ts'

const message: Message = {
  mid: '1800000000000',
  at: 0,
  from: { method: 'http', name: '' },
  to: ['alice@user'],
  body: { text: 'hi', desp: '早', extra: { a: [1, null] } },
  blobs: [],
  strategy: null,
  expiresAt: null,
}

test('the packet is whole', () => {
  expect(JSON.parse(encodeFrame(message).toString())).toEqual({
    cmd: 'MESSAGE',
    data: {
      sendType: 'personal',
      target: 'alice',
      from: { method: 'http', name: '' },
      message: { text: 'hi', desp: '早', extra: { a: [1, null] } },
      mid: '1800000000000',
    },
  })
})

test('a group is named without its kind, another address as it is', () => {
  expect(messageFrame({ ...message, to: ['dev@group'] })).toMatchObject({ sendType: 'group', target: 'dev' })
  expect(messageFrame({ ...message, to: ['a@b.test@user'] })).toMatchObject({
    sendType: 'personal',
    target: 'a@b.test',
  })
  expect(messageFrame({ ...message, to: ['crm@app'] })).toMatchObject({ sendType: 'personal', target: 'crm@app' })
})

test('the method is one that mpush knows', () => {
  const methodOf = (method: Message['from']['method']) => messageFrame({ ...message, from: { method, name: 'x' } }).from
  expect(methodOf('websocket')).toEqual({ method: 'websocket', name: 'x' })
  expect(methodOf('smtp')).toEqual({ method: 'http', name: 'x' })
  expect(methodOf('hub')).toEqual({ method: 'http', name: 'x' })
})

test('what a client reads is never null, whatever the store holds', () => {
  for (const body of [{}, { text: null, desp: 1, extra: null }, { extra: [1] }, { extra: 'x' }]) {
    expect(messageFrame({ ...message, body }).message).toEqual({ text: '', desp: '', extra: {} })
  }
})
