/** Order: of acceptance, and of what webhooks get first. */
import type { Target } from './cast.ts'
import { type Call, type Facts, print, resultOf, saysYes, type Story, type Violation } from './facts.ts'

export function checkOrder(facts: Facts, targets: ReadonlyMap<string, Target>): Violation[] {
  const hooks = [...targets.values()].flatMap(({ platforms }) =>
    platforms.flatMap(({ channel, endpoints }) => (channel === 'webhook' ? endpoints : [])),
  )
  return [...checkAcceptance(facts), ...hooks.flatMap((hook) => checkHook(facts, hook))]
}

/** A push that was sent after another one's answer has a higher mid, also over restarts. */
function checkAcceptance({ stories }: Facts): Violation[] {
  const moments: { at: number; story: Story; mid: string; isSent: boolean }[] = []
  for (const story of stories.values()) {
    const [mid] = story.mids
    if (mid === undefined || story.mids.size > 1) continue
    moments.push({ at: story.firstSend, story, mid, isSent: true })
    moments.push({ at: story.firstAccepted, story, mid, isSent: false })
  }
  const found: Violation[] = []
  let newest = ''
  for (const { story, mid, isSent } of moments.toSorted((a, b) => a.at - b.at)) {
    if (!isSent) newest = mid > newest ? mid : newest
    else if (mid <= newest) {
      found.push({ kind: 'order', what: `${newest} had been given out before it was sent: ${print(story)}` })
    }
  }
  return found
}

/** First requests come with rising mids, and none before what came earlier is done with. */
function checkHook({ calls, stories }: Facts, hook: string): Violation[] {
  const found: Violation[] = []
  const known = new Set<string>()
  let newest: Call | null = null
  for (const call of calls) {
    if (call.endpoint !== hook || known.has(call.push)) continue
    known.add(call.push)
    const [story, before] = [stories.get(call.push), newest && stories.get(newest.push)]
    if (!story) continue
    const what = () => `${print(story)} AFTER ${before ? print(before) : ''}`
    if (newest && (call.mid ?? '') < (newest.mid ?? '')) found.push({ kind: 'order', what: what() })
    else {
      if (before && isOvertaken(before, hook, call.place)) {
        found.push({ kind: 'order', what: `not done with what came before: ${what()}` })
      }
      newest = call
    }
  }
  return found
}

/** It worked, but not yet when the next one came. */
function isOvertaken(story: Story, hook: string, place: number): boolean {
  if (resultOf(story, hook)?.status !== 'success') return false
  return !(story.calls.get(hook) ?? []).some((call) => saysYes(call) && call.saidPlace < place)
}
