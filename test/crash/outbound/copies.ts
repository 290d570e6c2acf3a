/** How often a message came to one endpoint, and whether the hub had a reason to send it again, and says so. */
import { MONITOR, RETRIES, type Target } from './cast.ts'
import {
  type Call,
  callsOf,
  type Facts,
  type Kill,
  print,
  resultOf,
  saysYes,
  type Story,
  type Violation,
} from './facts.ts'

/** ms after which an outcome must have survived a crash */
const SETTLED_MS = 1_000

export interface Copies {
  readonly violations: Violation[]
  /** messages that a vendor showed more than once, by one each */
  readonly duplicates: number
}

export function checkCopies({ stories, kills }: Facts, targets: ReadonlyMap<string, Target>): Copies {
  const violations: Violation[] = []
  let duplicates = 0
  for (const story of stories.values()) {
    const isClient = targets.get(story.push.recipient)?.isClient ?? false
    for (const [endpoint, calls] of story.calls) {
      if (calls.length > RETRIES + 1 && !isClient) {
        violations.push({ kind: 'tooMany', what: `${calls.length} requests to ${endpoint}: ${print(story)}` })
      }
      violations.push(...checkRepeats(story, calls, kills))
      const taken = calls.filter(({ took }) => took).length
      if (taken <= 1) continue
      duplicates += taken - 1
      // nobody can be asked about a message whose answer got lost, and nobody asks about notifications
      if (story.task === null || endpoint === MONITOR) continue
      if (resultOf(story, endpoint)?.maybeDuplicate !== true) {
        violations.push({ kind: 'unmarked', what: `${endpoint} has it ${taken} times: ${print(story)}` })
      }
    }
  }
  return { violations, duplicates }
}

/** What a vendor took is sent again only if a crash came before that was on record. */
function checkRepeats(story: Story, calls: readonly Call[], kills: readonly Kill[]): Violation[] {
  const found: Violation[] = []
  for (const [at, call] of calls.entries()) {
    const next = calls[at + 1]
    if (!next || !saysYes(call)) continue
    const kill = kills.find(({ life }) => life === call.life)
    const what = `${call.endpoint} had said yes: ${print(story)}`
    if (next.life === call.life) found.push({ kind: 'forgot', what })
    else if (kill && kill.at - call.saidAt > SETTLED_MS) {
      const when = kill.at === Infinity ? 'a clean stop' : `${Math.round(kill.at - call.saidAt)} ms until the kill`
      found.push({ kind: 'forgot', what: `${when}, and ${what}` })
    }
  }
  return found
}

/** Endpoints of a push that have it. */
export function reachedBy(story: Story): number {
  return [...story.calls.keys()].filter((endpoint) => callsOf(story, endpoint).some(({ took }) => took)).length
}
