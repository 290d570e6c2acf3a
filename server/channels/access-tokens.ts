/** Access tokens of providers: one request for all who wait, kept while they hold, asked for anew where one is refused. */
import type { Io, Outcome } from './channel.ts'

/** given up this long before its end: a request takes time, and clocks differ */
const MARGIN_MS = 300_000
const MOST_KEPT = 1_000
/** less is no secret, and cutting it out would leave nothing legible */
const MIN_SECRET = 4

/** What a provider said when it was asked for a token; `lifetimeMs` from when it was asked. */
export type Grant = { readonly token: string; readonly lifetimeMs: number } | { readonly refusal: Outcome }

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
      if (!tried.refused) return without(granted.token, tried.outcome)

      forget(account, first)
      const again = await current(account, io.now(), ask).grant
      if ('refusal' in again) return again.refusal
      const { outcome } = await attempt(again.token)
      return without(again.token, outcome)
    },
  }
}

/** A short life has a short margin: the token is used for half of it at least. */
function heldMs(lifetimeMs: number): number {
  return Math.max(lifetimeMs - MARGIN_MS, lifetimeMs / 2)
}

/** Cut out, and nothing cut off: what else is secret must still be found whole in it. */
function without(token: string, outcome: Outcome): Outcome {
  if (token.length < MIN_SECRET || !('detail' in outcome)) return outcome
  const spellings = new Set([token, encodeURIComponent(token), token.replaceAll('/', '\\/')])
  const hide = (text: string) => [...spellings].reduce((rest, spelling) => rest.replaceAll(spelling, '[secret]'), text)
  return {
    ...outcome,
    ...(outcome.detail === undefined ? {} : { detail: hide(outcome.detail) }),
    ...('answer' in outcome && outcome.answer !== undefined ? { answer: hide(outcome.answer) } : {}),
  }
}
