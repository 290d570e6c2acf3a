import type { Clock } from '../ground/clock.ts'
import type { Session } from './session.ts'

/** what a session that took its place from another one has before it may lose it in turn */
const REST_MS = 1_000

/** Two programs of one name that come back at once whenever they are replaced shall do so once a second. */
export class Takeovers {
  readonly #clock: Clock
  readonly #since = new WeakMap<Session, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The session took its place from another one just now. */
  note(session: Session): void {
    this.#since.set(session, this.#clock.elapsed())
  }

  /** ms until its place may be taken; 0 for one that came to a free place. */
  restOf(session: Session): number {
    const since = this.#since.get(session)
    return since === undefined ? 0 : Math.max(0, since + REST_MS - this.#clock.elapsed())
  }
}
