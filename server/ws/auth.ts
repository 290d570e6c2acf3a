import { isWrongToken, login } from '../directory/login.ts'
import { checkName, type RecipientId } from '../protocol/address.ts'
import { type AuthData, MAX_WINDOW, packetSchemas, readData } from '../protocol/packets.ts'
import { count } from '../ground/tally.ts'
import type { SocketClient } from './connection.ts'
import type { PacketHandler } from './packets.ts'

/**
 * AUTH comes before anything that is pending: the answer leaves first, then the inbox is read. What the client
 * sent right behind it is read when it is decided.
 */
export const auth: PacketHandler = {
  beforeAuth: true,
  holdsOthers: true,
  async handle(client, packet) {
    const data = readData(packetSchemas.AUTH, packet.data)
    const device = data.device ? checkName(data.device, 'device') : null
    await new Promise<void>((resolve) => client.options.turns.add(resolve))
    const granted = await tryLogin(client, data)
    if (!granted) return
    await itsTurn(client, granted.id, device)
    client.begin({
      recipient: granted.id,
      device,
      window: Math.min(data.window ?? 1, MAX_WINDOW),
      confirms: data.confirms ?? false,
    })
    client.send({ cmd: 'AUTH', data: granted.packet })
    client.session?.catchUp()
  },
}

/** Waits while its name was taken over just now. */
async function itsTurn(
  { session, options: { hub, clock } }: SocketClient,
  recipient: RecipientId,
  device: string | null,
): Promise<void> {
  const ms = hub.sessions.restOf(recipient, device, session)
  if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve))
}

/** Only a wrong token is answered with 403: clients take any other code than 200 as final. */
async function tryLogin(client: SocketClient, data: AuthData) {
  try {
    return await login(client.options, data, client.options.settings.verifyToken, (proof) => client.prove(proof))
  } catch (error) {
    if (!isWrongToken(error)) throw error
    count(client.options.hub.meters.refusals.websocket, error.code)
    client.send({ cmd: 'AUTH', data: { code: 403, msg: error.message } })
    client.wrongToken()
    return null
  }
}
