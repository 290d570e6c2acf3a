/** What came of one attempt. A refusal by the other side is an outcome, never an exception. */
export type Outcome =
  /** the receiving program has it; `detail` says what was not as asked */
  | { readonly kind: 'delivered'; readonly detail?: string }
  /** a provider took it; `detail` says what was not as asked, such as `1 of 3 numbers refused` */
  | { readonly kind: 'accepted'; readonly detail?: string }
  /** worth another round, not before `retryAfterMs` if the other side named a time */
  | { readonly kind: 'retry'; readonly detail: string; readonly answer?: string; readonly retryAfterMs?: number }
  /** the request left and no answer came back: the channel's `onUnknown` says whether to try again */
  | { readonly kind: 'unknown'; readonly detail: string; readonly answer?: string }
  /** will not work however often it is tried */
  | { readonly kind: 'failed'; readonly detail: string; readonly answer?: string }

/** The outcome of a whole message. `parts`: how many of its parts went out before the one that did not. */
export type Sent = Outcome & { readonly parts?: number }

/** Somebody has it: the receiving program, or a provider. */
export function isSuccess(outcome: string): outcome is 'delivered' | 'accepted' {
  return outcome === 'delivered' || outcome === 'accepted'
}
