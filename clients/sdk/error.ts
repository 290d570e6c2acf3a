import type { ErrorCode } from './types.ts'

/** What a push, a confirm or a connection failed with. */
export class CarillonError extends Error {
  readonly code: ErrorCode
  /** HTTP status; null where the error did not come by HTTP */
  readonly status: number | null
  /** seconds until it makes sense to try again, where the hub said so */
  readonly retryAfter: number | null

  constructor(
    code: ErrorCode,
    message: string,
    { status = null, retryAfter = null }: { status?: number | null; retryAfter?: number | null } = {},
  ) {
    super(message)
    this.name = 'CarillonError'
    this.code = code
    this.status = status
    this.retryAfter = retryAfter
  }

  /** Trying the same once more may help. */
  get mayPass(): boolean {
    return passing.has(this.code) || (this.code === 'unexpected' && isPassing(this.status ?? 0))
  }

  /** The hub may have accepted the push all the same: repeat it only with its idempotency key. */
  get maybeAccepted(): boolean {
    return unsure.has(this.code)
  }
}

/** What proxies answer while the hub behind them is away, or while they hold somebody back. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500
}

const unsure: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'lost',
  'closed',
  'unreachable',
  'unexpected',
  'internal',
  'store-failed',
])

const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'offline',
  'lost',
  'unreachable',
  'internal',
  'inbox-full',
  'too-many-attempts',
  'store-busy',
  'queue-full',
  'store-failed',
  'stopping',
  'store-full',
])
