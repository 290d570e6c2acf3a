/** Access tokens of providers: one request for all who wait, kept while they hold, asked for anew where one is refused. */
import type { Io, Outcome } from '../channel.ts'
import type { OutboundAnswer } from './outbound.ts'
import { type Passing, refusal, type Said } from './outcomes.ts'
import { withoutSecret } from './secrets.ts'

/** given up this long before its end: a request takes time, and clocks differ */
const MARGIN_MS = 300_000
const MOST_KEPT = 1_000

/** What a provider said when it was asked for a token; `lifetimeMs` from when it was asked. */
export type Grant = { readonly token: string; readonly lifetimeMs: number } | { readonly refusal: Outcome }

/** A token as an answer holds it. */
export interface Given {
  readonly token: string
  readonly lifetimeS: number
}

/**
 * What an answer to a request for a token comes to.
 * @param call what the vendor calls that request, for the words
 * @param said null where the answer makes no sense
 */
export function grantOf(answer: OutboundAnswer, call: string, said: Given | Said | null, passing: Passing): Grant {
  if (!answer.ok) return { refusal: { kind: 'retry', detail: answer.detail } }
  if (said && 'token' in said) return { token: said.token, lifetimeMs: said.lifetimeS * 1000 }
  // not handed on: it may hold half a token
  if (!said && answer.status < 300) return { refusal: { kind: 'retry', detail: `${call}: the answer makes no sense` } }
  const refused = refusal(answer, said, passing)
  return { refusal: { ...refused, detail: `${call} ${refused.detail}` } }
}

/** What came of a request that carried a token. */
export interface Tried {
  readonly outcome: Outcome
  /** the provider does not take this token, or not any more */
  readonly refused: boolean
}

export interface AccessTokens {
  /**
   * Sends with the account's token. Where the provider refuses it, it is dropped, another one is asked for and
   * `attempt` gets its second and last call. A refusal to give a token is the outcome; the next send asks again.
   * @param account what tells its credentials and address from others, hashed (`fingerprint`)
   */
  send(
    account: string,
    io: Pick<Io, 'now'>,
    ask: () => Promise<Grant>,
    attempt: (token: string) => Promise<Tried>,
  ): Promise<Outcome>
}

interface Kept {
  readonly grant: Promise<Grant>
  /** ms since epoch */
  until: number
}

/** Tokens of one kind of provider, for at most 1,000 accounts: the one asked for first makes room. */
export function createAccessTokens(): AccessTokens {
  const kept = new Map<string, Kept>()

  function current(account: string, now: number, ask: () => Promise<Grant>): Kept {
    const known = kept.get(account)
    if (known && now < known.until) return known
    const entry: Kept = { grant: asked(), until: Infinity }
    forget(account)
    const [oldest = account] = kept.keys()
    if (kept.size >= MOST_KEPT) forget(oldest)
    kept.set(account, entry)
    return entry

    async function asked(): Promise<Grant> {
      let until = now
      try {
        const grant = await ask()
        if ('token' in grant) until += heldMs(grant.lifetimeMs)
        return grant
      } finally {
        entry.until = until
        if (until === now) forget(account, entry)
      }
    }
  }

  /** @param entry only if it still is this one */
  function forget(account: string, entry = kept.get(account)): void {
    if (kept.get(account) === entry) kept.delete(account)
  }

  return {
    async send(account, io, ask, attempt) {
      const first = current(account, io.now(), ask)
      const granted = await first.grant
      if ('refusal' in granted) return granted.refusal
      const tried = await attempt(granted.token)
      if (!tried.refused) return withoutSecret(tried.outcome, granted.token)

      forget(account, first)
      const again = await current(account, io.now(), ask).grant
      if ('refusal' in again) return again.refusal
      const { outcome } = await attempt(again.token)
      return withoutSecret(outcome, again.token)
    },
  }
}

/** A short life has a short margin: the token is used for half of it at least. */
function heldMs(lifetimeMs: number): number {
  return Math.max(lifetimeMs - MARGIN_MS, lifetimeMs / 2)
}
