import { describe, expect, test } from 'vitest'
import { startHub } from '../helpers/hub.ts'

const config = { http: { waitTimeout: 0 } }
const clear = (mid: string, by: string) => ({ cmd: 'CLEAR', data: { mid, by } })
const cmds = (packets: readonly { cmd: string }[]) => packets.map(({ cmd }) => cmd)

describe('CONFIRM', () => {
  test('clears the message on every session that gave a device, the confirming one included', async () => {
    const hub = await startHub({ config })
    const phone = await hub.login('me', { device: 'phone', confirms: true })
    const desk = await hub.login('me', { device: 'desk' })
    const plain = await hub.login('me')
    await hub.get('/me.send?idem=k')
    const mids = [await phone.message(), await desk.message(), await plain.message()].map(({ mid }) => mid)
    const [mid = ''] = mids
    expect(mids).toEqual([mid, mid, mid])
    phone.send('CONFIRM', { mid })
    expect(await phone.next('CLEAR')).toEqual(clear(mid, 'phone'))
    expect(await desk.next('CLEAR')).toEqual(clear(mid, 'phone'))
    await plain.settled()
    expect(cmds(plain.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG'])
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'ok' } })
  })

  test('a second confirm is told who was first', async () => {
    const hub = await startHub({ config })
    const phone = await hub.login('me', { device: 'phone', confirms: true })
    const desk = await hub.login('me', { device: 'desk', confirms: true })
    await hub.get('/me.send')
    const { mid } = await phone.message()
    phone.send('CONFIRM', { mid })
    expect(await desk.next('CLEAR')).toEqual(clear(mid, 'phone'))
    desk.send('CONFIRM', { mid })
    expect(await desk.next('CLEAR')).toEqual(clear(mid, 'phone'))
    await phone.next('CLEAR')
    await phone.settled()
    expect(phone.packets.filter(({ cmd }) => cmd === 'CLEAR')).toHaveLength(1)
  })

  test('without a device the confirming socket gets CLEAR as its receipt', async () => {
    const hub = await startHub({ config })
    const me = await hub.login('me', { confirms: true })
    await hub.get('/me.send')
    const { mid } = await me.message()
    me.send('CONFIRM', { mid })
    expect(await me.next('CLEAR')).toEqual(clear(mid, 'me'))
  })

  test('an offline session of another device does not get the message when it comes back', async () => {
    const hub = await startHub({ config })
    const desk = await hub.login('me', { device: 'desk' })
    desk.socket.terminate()
    await desk.closed
    const phone = await hub.login('me', { device: 'phone', confirms: true })
    await hub.get('/me.send?text=1')
    const { mid } = await phone.message()
    phone.send('CONFIRM', { mid })
    await phone.next('CLEAR')
    const back = await hub.login('me', { device: 'desk' })
    await back.settled()
    expect(cmds(back.packets)).toEqual(['AUTH', 'PONG'])
  })

  test('needs confirms in AUTH, a known mid and an own one', async () => {
    const hub = await startHub({ config })
    const [plain, you] = [await hub.login('me'), await hub.login('you', { confirms: true })]
    await hub.get('/me.send?idem=k')
    const { mid } = await plain.message()
    plain.send('CONFIRM', { mid })
    expect(await plain.next('INFO')).toEqual({ cmd: 'INFO', data: 'CONFIRM needs confirms: true in AUTH' })
    for (const wrong of [mid, '1700000000000', 'x']) {
      you.send('CONFIRM', { mid: wrong })
      expect(await you.next('INFO')).toEqual({ cmd: 'INFO', data: 'there is no such message to confirm' })
    }
    expect((await hub.get('/me.send?idem=k')).json).toMatchObject({ data: { me: 'wait' } })
  })
})

describe('an ack among several devices', () => {
  test('clears the others where nobody can confirm', async () => {
    const hub = await startHub({ config })
    const phone = await hub.login('me', { device: 'phone' })
    const desk = await hub.login('me', { device: 'desk' })
    await hub.get('/me.send')
    const { mid } = await phone.message()
    phone.ack(mid)
    expect(await desk.next('CLEAR')).toEqual(clear(mid, 'phone'))
    await phone.settled()
    expect(cmds(phone.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG'])
  })

  test('moves only its own device on where somebody can confirm', async () => {
    const hub = await startHub({ config })
    const phone = await hub.login('me', { device: 'phone', confirms: true })
    const desk = await hub.login('me', { device: 'desk' })
    await hub.get('/me.send?text=1')
    await hub.get('/me.send?text=2')
    const first = await phone.message()
    phone.ack(first.mid)
    expect((await phone.message()).message.text).toBe('2')
    await desk.settled()
    expect(cmds(desk.packets)).toEqual(['AUTH', 'MESSAGE', 'PONG'])

    const phoneAgain = await hub.login('me', { device: 'phone', confirms: true })
    expect((await phoneAgain.message()).message.text).toBe('2')
    const deskAgain = await hub.login('me', { device: 'desk' })
    expect((await deskAgain.message()).message.text).toBe('1')
  })
})
