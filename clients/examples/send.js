// Sends a message and says how far it got: CARILLON_TOKEN=… node send.js NAME TEXT
import { createSender } from 'carillon/sdk'

const { CARILLON_URL: url = 'http://127.0.0.1:9093', CARILLON_TOKEN: token } = process.env
const [, , name, text] = process.argv

const hub = createSender(url, { token })
const { states } = await hub.push({ to: name, text }, { retryForMs: 60_000 })

console.log(states) // { me: 'ok' }: its program has the message
