import { SYSTEM, type RecipientId } from '../protocol/address.ts'

/** Who calls, as far as they proved it. */
export type Caller =
  /** nothing was proved; only doors that the config leaves open let one through */
  | { readonly kind: 'anyone' }
  /** holds the hub's shared token */
  | { readonly kind: 'hub' }
  /** holds a signed client token: speaks for one recipient */
  | { readonly kind: 'client'; readonly id: RecipientId }
  | { readonly kind: 'admin' }

export type Verb =
  /** send a message to a recipient or group */
  | 'push'
  /** open a session as a recipient, or join its groups */
  | 'connect'
  /** ack, confirm, register an endpoint or leave, in a recipient's name */
  | 'act-as'

/**
 * The one place where rights are decided. `system` belongs to the admin; a client acts only for itself;
 * whoever came through a door may push.
 */
export function may(caller: Caller, verb: Verb, target: string): boolean {
  if (caller.kind === 'admin') return true
  if (target === SYSTEM) return false
  switch (verb) {
    case 'push':
      return true
    case 'connect':
      return caller.kind === 'hub' || caller.kind === 'anyone'
    case 'act-as':
      return caller.kind === 'client' && caller.id === target
  }
}
