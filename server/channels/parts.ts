/** A message goes out in as many parts as its channel makes of it. */
import { isSuccess, type Outcome, type Sent } from './outcome.ts'

const NOTHING: Outcome = { kind: 'failed', detail: 'nothing to send' }

/**
 * In order, up to the first part that did not go out; what went out before is not sent again.
 * @param independent parts go to different people: one that failed does not keep back the others
 * @param skip parts that an earlier attempt sent already
 */
export async function sendParts(
  parts: readonly (() => Promise<Outcome>)[],
  independent: boolean,
  skip: number,
): Promise<Sent> {
  const outcomes: Outcome[] = []
  for (const [at, send] of parts.entries()) {
    if (at < skip) continue
    const outcome = await send()
    outcomes.push(outcome)
    if (!isSuccess(outcome.kind) && !independent) return { ...outcome, parts: at }
  }
  return independent ? summary(outcomes) : (outcomes.at(-1) ?? NOTHING)
}

/**
 * Of parts for different people: one that took it makes a success, and says how many did not. What somebody
 * may have got is not sent again for the sake of the others.
 */
function summary(outcomes: readonly Outcome[]): Outcome {
  const refused = outcomes.filter(({ kind }) => !isSuccess(kind))
  const taken = outcomes.find(({ kind }) => isSuccess(kind))
  const [first = NOTHING] = refused
  if (!taken) return ['unknown', 'retry'].flatMap((kind) => refused.find((one) => one.kind === kind) ?? [])[0] ?? first
  if (refused.length === 0) return taken
  return { ...taken, detail: `${refused.length} of ${outcomes.length} refused: ${first.detail}` }
}
