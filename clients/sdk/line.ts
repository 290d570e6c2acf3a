/** One socket after another: signs in, finds out when a line is dead, comes back. */
import type { closeCodes } from '../../server/protocol/errors.ts'
import { backoffMs } from './backoff.ts'
import { CarillonError } from './error.ts'
import { type Incoming, readFrame } from './packets.ts'
import type { CloseCause, ConnectionState, SdkClock, Wake, WebSocketConstructor, WebSocketLike } from './types.ts'

/** A line that held for so long was a good one: the next may be tried soon. */
const STEADY_MS = 5_000
/** A line that ought to be up answers a PING within this. */
const PROBE_MS = 5_000
const CLOSE_GRACE_MS = 2_000
const AUTH_ID = 'auth'
const NORMAL = 1000
const ABNORMAL = 1006

/** Close codes after which coming back would not help, or would drive out the newer client of this name. */
const causes = new Map<number, CloseCause>([
  [4001 satisfies (typeof closeCodes)['replaced'], 'replaced'],
  [4003 satisfies (typeof closeCodes)['removed'], 'removed'],
  [4403 satisfies (typeof closeCodes)['badToken'], 'bad-token'],
])

export interface LineOptions {
  readonly url: string
  readonly WebSocket: WebSocketConstructor
  /** data of the AUTH packet */
  readonly auth: object
  readonly pingMs: number
  readonly wake: Wake
  readonly clock: SdkClock
  readonly random: () => number
  /** The state has changed. */
  changed(state: ConnectionState): void
  received(packet: Incoming): void
  /** The line that was up, or was to be, is gone. */
  broke(code: number): void
}

export interface Line {
  readonly state: ConnectionState
  /** False, and nothing is sent, unless the hub has let us in. */
  send(frame: string): boolean
  /** Ends it for good. Resolves when the socket is closed, after 2 s in any case. */
  close(): Promise<void>
}

export function createLine(options: LineOptions): Line {
  const { url, WebSocket, auth, pingMs, wake, clock, random } = options
  let state: ConnectionState = { status: 'connecting' }
  let socket: WebSocketLike | null = null
  let failures = 0
  let onlineSince = Infinity
  let heard = false
  let cancelTimer = () => {}

  function open(): void {
    const own = new WebSocket(url)
    const fault = { text: '' }
    socket = own
    heard = false
    own.addEventListener(
      'open',
      () => own === socket && own.send(JSON.stringify({ cmd: 'AUTH', id: AUTH_ID, data: auth })),
    )
    own.addEventListener('message', ({ data }) => own === socket && receive(data))
    own.addEventListener('error', (error) => (fault.text = textOf(error)))
    own.addEventListener('close', ({ code, reason }) => own === socket && lost(code, reason || fault.text))
    watch(pingMs)
  }

  function receive(frame: unknown): void {
    heard = true
    const packet = readFrame(frame)
    if (!packet) return
    if (packet.cmd === 'AUTH') signIn(packet)
    else if (packet.cmd === 'INFO' && packet.id === AUTH_ID) refuse(packet)
    else options.received(packet)
  }

  function signIn({ code, msg, auth }: Incoming & { cmd: 'AUTH' }): void {
    if (code !== 200) {
      end('bad-token', msg)
      return
    }
    onlineSince = clock.elapsed()
    change({ status: 'online', auth })
  }

  /** The hub did not take this AUTH: just now, or ever. */
  function refuse({ error, text }: Incoming & { cmd: 'INFO' }): void {
    if (new CarillonError(error ?? 'unexpected', text).mayPass) abandon(text)
    else end('refused', text)
  }

  function watch(ms: number): void {
    cancelTimer()
    cancelTimer = clock.after(ms, () => (heard ? ping(pingMs) : abandon('the line went silent')))
  }

  function ping(patienceMs: number): void {
    heard = false
    socket?.send('{"cmd":"PING"}')
    watch(patienceMs)
  }

  function lost(code: number, reason: string): void {
    const cause = causes.get(code)
    if (cause) end(cause, reason)
    else comeBack(code, reason || `the line broke (${code})`)
  }

  /** A dead line takes long to close, if it ever does: it is left as it is. */
  function abandon(reason: string): void {
    const old = socket
    comeBack(ABNORMAL, reason)
    if (old) discard(old)
  }

  function comeBack(code: number, reason: string): void {
    socket = null
    cancelTimer()
    if (clock.elapsed() - onlineSince >= STEADY_MS) failures = 0
    onlineSince = Infinity
    const retryInMs = backoffMs(failures, random())
    failures += 1
    cancelTimer = clock.after(retryInMs, again)
    options.broke(code)
    change({ status: 'waiting', retryInMs, reason })
  }

  function again(): void {
    cancelTimer()
    change({ status: 'connecting' })
    open()
  }

  function tryNow(): void {
    if (state.status === 'waiting') again()
    if (state.status === 'online') ping(PROBE_MS)
  }

  function end(why: CloseCause, reason: string): void {
    const old = socket
    socket = null
    cancelTimer()
    stopWake()
    change({ status: 'closed', why, reason })
    old?.close(NORMAL)
  }

  function change(next: ConnectionState): void {
    state = next
    options.changed(next)
  }

  open()
  const stopWake = wake(tryNow)

  return {
    get state() {
      return state
    },
    send(frame) {
      if (state.status !== 'online') return false
      socket?.send(frame)
      return true
    },
    close() {
      const old = socket
      if (state.status !== 'closed') end('closed', 'closed by this side')
      return old ? whenClosed(old, clock) : Promise.resolve()
    },
  }
}

function whenClosed(socket: WebSocketLike, clock: SdkClock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CLOSE_GRACE_MS, () => {
      discard(socket)
      resolve()
    })
    socket.addEventListener('close', () => {
      cancel()
      resolve()
    })
  })
}

function discard(socket: WebSocketLike): void {
  if (socket.terminate) socket.terminate()
  else socket.close()
}

/** `ws` says what went wrong; browsers do not. */
function textOf(event: object): string {
  return 'message' in event && typeof event.message === 'string' ? event.message : ''
}
