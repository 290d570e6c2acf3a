import type { Connection, ConnectionEvents } from './types.ts'

type Listeners = { [Name in keyof ConnectionEvents]: Set<(value: ConnectionEvents[Name]) => void> }

export interface Events {
  readonly on: Connection['on']
  /** Tells all who listen; false: nobody does. */
  emit<Name extends keyof ConnectionEvents>(name: Name, value: ConnectionEvents[Name]): boolean
}

export function createEvents(): Events {
  const listeners: Listeners = {
    state: new Set(),
    message: new Set(),
    acked: new Set(),
    failed: new Set(),
    clear: new Set(),
    reply: new Set(),
    info: new Set(),
  }
  return {
    on(name, listener) {
      const listening: Listeners[typeof name] = listeners[name]
      listening.add(listener)
      return () => void listening.delete(listener)
    },
    emit(name, value) {
      const listening: Listeners[typeof name] = listeners[name]
      for (const listener of listening) call(listener, value)
      return listening.size > 0
    },
  }
}

/** A listener that throws must not stop the line: its error surfaces by itself, like any uncaught one. */
function call<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
