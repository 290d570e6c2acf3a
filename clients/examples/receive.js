// Receives messages: CARILLON_TOKEN=… node receive.js NAME
import { connect } from 'carillon/sdk'
import { WebSocket } from 'ws' // Node 22 and browsers have one of their own: leave it out there

const { CARILLON_URL: url = 'http://127.0.0.1:9093', CARILLON_TOKEN: token } = process.env
const [, , name] = process.argv

const hub = connect(url, { name, token, WebSocket })

hub.onMessage(async ({ text, desp }) => {
  console.log(text, desp)
  // the sender reads `ok` when this function is done; if it throws, the message comes again
})

hub.on('state', ({ status, reason = '' }) => console.error(status, reason))
