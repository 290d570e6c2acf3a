/** What the SDK takes and gives. The wire behind it is described in server/protocol/PROTOCOL.md. */
import type { ErrorName } from '../../server/protocol/errors.ts'
import type { MpushWord } from '../../server/protocol/states.ts'

/** How far a push got with one recipient: `ok` is the one that says its program has it. */
export type State = MpushWord

/** What to deliver, and to whom: one recipient (`to`) or all members of a group (`group`). */
export type Push = PushContent & ({ to: string; group?: never } | { group: string; to?: never })

export interface PushContent {
  /** title */
  text?: string | undefined
  /** body */
  desp?: string | undefined
  /** whatever else the receiving app understands */
  extra?: Readonly<Record<string, unknown>> | undefined
  /** seconds until it is worthless; without it the hub's config decides */
  expire?: number | undefined
}

export interface PushOptions {
  /** Idempotency key, up to 255 characters: within 24 hours the hub accepts a push of the same key once. */
  key?: string | undefined
  /**
   * Try again for up to so many ms when it fails in a way that may pass (no line, a busy hub). One key goes with
   * every try, a random one unless `key` is given, so that nothing arrives twice. 0 unless told: one try.
   */
  retryForMs?: number | undefined
}

/** How far a push got. */
export interface Receipt {
  /** null: nobody was meant (no such recipient, an empty group), nothing was accepted */
  readonly mid: string | null
  /** the state of every recipient that was meant, by name */
  readonly states: Readonly<Record<string, State>>
}

/** What both a connection and a sender can do. */
export interface Pusher {
  /** Resolves with how far it got, after `waitTimeout` of the hub (5 s) at the latest. @throws CarillonError */
  push(push: Push, options?: PushOptions): Promise<Receipt>
}

export interface SenderOptions {
  /** the hub's token, or the `auth` of a recipient to push in its name; may be left out where the hub is open */
  token?: string | undefined
  /** ms that one request may take; 30 s unless told. Must be more than `http.waitTimeout` of the hub. */
  timeoutMs?: number | undefined
  fetch?: Fetch | undefined
  clock?: SdkClock | undefined
  /** 0 to 1, for the jitter of retries */
  random?: (() => number) | undefined
}

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Headers; body: string; signal: AbortSignal },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>

/** A message as it comes. */
export interface Message {
  /** 13 digits, near the time of its acceptance in ms; unique and increasing */
  readonly mid: string
  readonly text: string
  readonly desp: string
  readonly extra: Readonly<Record<string, unknown>>
  /** `name` is '' where the hub does not know the sender */
  readonly from: { readonly method: 'http' | 'websocket'; readonly name: string }
  /** as it was meant: to one recipient or to a group, and which */
  readonly sendType: 'personal' | 'group'
  readonly target: string
}

/** A message is dealt with: take it off the screen. */
export interface Clear {
  readonly mid: string
  /** the device, or the recipient's name, that was first */
  readonly by: string
}

/** Where a connection stands. `closed` is the end: it does not come back from there. */
export type ConnectionState =
  | { readonly status: 'connecting' }
  | {
      readonly status: 'online'
      /** proves this recipient to the hub by HTTP, for 30 days */
      readonly auth: string
    }
  | { readonly status: 'waiting'; readonly retryInMs: number; readonly reason: string }
  | { readonly status: 'closed'; readonly why: CloseCause; readonly reason: string }

/**
 * - `closed`: by `close()`
 * - `replaced`: a newer connection of the same name and device took over
 * - `removed`: the recipient was removed from the hub
 * - `bad-token`: the token is wrong
 * - `refused`: the hub cannot take what was asked for at all, such as a name that is not allowed
 */
export type CloseCause = 'closed' | 'replaced' | 'removed' | 'bad-token' | 'refused'

export interface ConnectionEvents {
  state: ConnectionState
  /** a message as it comes, before its handler; once more when it was not acked and the hub sends it again */
  message: Message
  /** the handler is done with it and the ack is on its way */
  acked: Message
  /** the handler threw: no ack, the hub sends the message again */
  failed: { readonly message: Message; readonly error: unknown }
  clear: Clear
  /** the answer to a push of this connection */
  reply: Receipt
  /** what the hub says in words, such as why it refused a packet */
  info: string
}

/** May be async. The hub gets the ack when it is done; when it throws, the message comes again. */
export type MessageHandler = (message: Message) => unknown

export interface ConnectOptions {
  /** who this is */
  name: string
  /** the hub's token */
  token?: string | undefined
  /** the group to be a member of; none unless told, and then the one of the last connection is left */
  group?: string | undefined
  /** a remembered place of this recipient: lets one name have several connections, and get CLEAR */
  device?: string | undefined
  /** messages in flight at once, 1 to 100; 1 unless told. Above 1 a message that failed comes after later ones. */
  window?: number | undefined
  /** this client can say that a person confirmed */
  confirms?: boolean | undefined
  /** which messages were handled before; the last 1,000 of this connection unless told */
  memory?: Memory | undefined
  /** the constructor to use; `globalThis.WebSocket` unless told. Node before 22 has none: pass that of `ws`. */
  WebSocket?: WebSocketConstructor | undefined
  /** ms between two PINGs, and until a line that stays silent is given up; 25 s unless told */
  pingMs?: number | undefined
  /** Tells when it makes sense to try at once; the page's `online` and `visibilitychange` unless told. */
  wake?: Wake | undefined
  clock?: SdkClock | undefined
  /** 0 to 1, for the jitter of reconnects */
  random?: (() => number) | undefined
}

/** A live line to the hub that comes back by itself. */
export interface Connection extends Pusher {
  readonly state: ConnectionState
  /** Resolves as soon as the hub has let it in. @throws CarillonError when it is closed for good before */
  ready(): Promise<void>
  /**
   * Sets the one handler of messages; returns how to take it off. They are handled one at a time, in order, each
   * once: what was handled before and comes again is acked only. Without a handler messages wait, not acked.
   */
  onMessage(handler: MessageHandler): () => void
  /** Says that a person confirmed; resolves when it is durable, with who was first. Waits for the line if need be. */
  confirm(mid: string): Promise<Clear>
  /** Listens to an event; returns how to stop. */
  on<Name extends keyof ConnectionEvents>(event: Name, listener: (value: ConnectionEvents[Name]) => void): () => void
  /** Ends it for good, after the handler at work. Resolves when the line is closed. */
  close(): Promise<void>
}

/** Which messages were handled; `mid`s of 13 digits. */
export interface Memory {
  has(mid: string): boolean | Promise<boolean>
  /** Called after the handler, before the ack. */
  add(mid: string): void | Promise<void>
}

/** Calls `tryNow` whenever the line may be back; returns how to stop. */
export type Wake = (tryNow: () => void) => () => void

/** How time enters; the hub's own clock has this shape, too. */
export interface SdkClock {
  /** ms since some moment */
  elapsed(): number
  /** Runs `fn` once after `ms`; returns how to cancel. */
  after(ms: number, fn: () => void): () => void
}

/** The part of a WebSocket that is used: browsers', Node's and that of `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number
  send(data: string): void
  close(code?: number, reason?: string): void
  /** of `ws` only: ends it without a handshake */
  terminate?(): void
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
  addEventListener(type: 'error', listener: (event: object) => void): void
}

export type WebSocketConstructor = new (url: string) => WebSocketLike

/**
 * Why it failed: a name from the hub's own table of errors, or
 *
 * - `offline`: there is no line; the push did not leave
 * - `lost`: the line broke before the answer; whether the push was accepted is not known
 * - `closed`: the connection has ended for good, perhaps before the answer
 * - `unreachable`: no answer by HTTP; whether the push was accepted is not known
 * - `unexpected`: an answer that is not one of the hub's, a proxy's perhaps
 */
export type ErrorCode = ErrorName | 'offline' | 'lost' | 'closed' | 'unreachable' | 'unexpected'
