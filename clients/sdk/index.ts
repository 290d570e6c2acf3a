/** Carillon for browsers and Node: push, receive, know who heard. Imports nothing but its own files. */
export { connect } from './connect.ts'
export { CarillonError } from './error.ts'
export { createMemory } from './memory.ts'
export { createSender } from './sender.ts'
export type {
  Clear,
  CloseCause,
  Connection,
  ConnectionEvents,
  ConnectionState,
  ConnectOptions,
  ErrorCode,
  Memory,
  Message,
  MessageHandler,
  Push,
  Pusher,
  PushOptions,
  Receipt,
  SenderOptions,
  State,
  WebSocketConstructor,
} from './types.ts'
