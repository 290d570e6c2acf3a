/**
 * Every refusal the hub can speak: its name, HTTP status and, where a socket must go, its close code.
 * Each door prints them in its own envelope. Browser-safe: no imports.
 */
export const errors = {
  'bad-json': { status: 400, text: 'the body is not valid JSON' },
  'too-deep': { status: 400, text: 'JSON is nested deeper than 32 levels' },
  'forbidden-key': { status: 400, text: 'a key named __proto__, constructor or prototype is not allowed' },
  'bad-packet': { status: 400, text: 'the packet is not as documented' },
  'bad-name': { status: 400, text: 'the name is not allowed' },
  'token-in-url': {
    status: 400,
    text: 'a token does not belong in a URL: send it in the header "authorization"',
  },
  'need-token': { status: 401, text: 'a valid token is needed in the header "authorization"' },
  'bad-auth': { status: 401, text: 'auth is not valid here: it is forged, expired or from another hub' },
  'need-auth': { status: 401, text: 'Need Auth' },
  'bad-link': { status: 403, text: 'this link is not one of this hub' },
  'not-allowed': { status: 403, text: 'this caller may not do that' },
  'cors-off': { status: 403, text: 'cross-origin requests are off (http.cors)' },
  'not-found': { status: 404, text: 'there is nothing at this path' },
  'link-expired': { status: 410, text: 'this link is no longer good' },
  'bad-method': { status: 405, text: 'only GET, POST and OPTIONS are served here' },
  'too-large': { status: 413, text: 'the body is too large' },
  'url-too-long': { status: 414, text: 'the URL is too long' },
  'bad-content-type': { status: 415, text: 'Unsupported Content Type' },
  'idempotency-mismatch': {
    status: 422,
    text: 'this idempotency key was used with another message',
  },
  'inbox-full': { status: 429, text: 'nobody accepted: every inbox named is full' },
  'too-many-attempts': { status: 429, text: 'too many failed attempts from this address, try again later' },
  internal: { status: 500, text: 'internal error' },
  'store-busy': { status: 503, text: 'the queue is full, try again soon; nothing was accepted' },
  'queue-full': { status: 503, text: 'the queue of outbound deliveries is full, try again soon; nothing was accepted' },
  'store-failed': { status: 503, text: 'the store failed; whether this was accepted is not known' },
  stopping: { status: 503, text: 'the hub is stopping; nothing was accepted' },
  'store-full': { status: 507, text: 'the disk is full or nearly so; nothing was accepted' },
} as const satisfies Record<string, { status: number; text: string }>

export type ErrorName = keyof typeof errors

/** A refusal on its way to a door. `detail` replaces the table's text and may name the field at fault. */
export class Refusal extends Error {
  readonly code: ErrorName
  readonly status: number
  /** seconds until it makes sense to try again, where trying again helps */
  readonly retryAfterS: number

  constructor(code: ErrorName, detail?: string, retryAfterS = 1) {
    super(detail ?? errors[code].text)
    this.name = 'Refusal'
    this.code = code
    this.status = errors[code].status
    this.retryAfterS = retryAfterS
  }
}

/** WebSocket close codes (RFC 6455 section 7.4, and ours from 4000 on). */
export const closeCodes = {
  policy: 1008,
  restarting: 1012,
  tooSlow: 1013,
  replaced: 4001,
  removed: 4003,
  needAuth: 4401,
  badToken: 4403,
  authTimeout: 4408,
} as const
