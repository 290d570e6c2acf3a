import type { Delivery, Facts, Story, Violation } from './facts.ts'

/** Order, by every measure that the senders and receivers have. */
export function checkOrder(facts: Facts): Violation[] {
  return [...checkReceivers(facts), ...checkPushers(facts), ...checkAcceptance(facts)]
}

/** mids are the order of acceptance: first deliveries of one receiver come with rising mids. */
function checkReceivers({ deliveries }: Facts): Violation[] {
  const found: Violation[] = []
  for (const [name, mine] of deliveries) {
    let newest: Delivery | undefined
    for (const delivery of mine) {
      if (newest && delivery.mid < newest.mid) {
        found.push(late(`${name} first got ${print(delivery)} after ${print(newest)}`))
      } else newest = delivery
    }
  }
  return found
}

/** What a pusher sent after it had the reply for an earlier push never overtakes that push. */
function checkPushers({ deliveries }: Facts): Violation[] {
  const found: Violation[] = []
  for (const [name, mine] of deliveries) {
    const newest = new Map<string, Delivery>()
    for (const delivery of mine) {
      const { push, firstReply } = delivery.story
      const earlier = newest.get(push.pusher)
      if (earlier && firstReply < earlier.story.firstSend) {
        const why = `though ${push.pusher} had the reply for the first before it sent the second`
        found.push(late(`${name} first got ${print(delivery)} after ${print(earlier)}, ${why}`))
      }
      if (!earlier || earlier.story.firstSend < delivery.story.firstSend) newest.set(push.pusher, delivery)
    }
  }
  return found
}

/** A push that was sent after another one's reply has a higher mid, also over restarts. */
function checkAcceptance({ stories }: Facts): Violation[] {
  const moments: { at: number; story: Story; mid: string; sent: boolean }[] = []
  for (const story of stories.values()) {
    const mid = [...story.mids][0]
    if (!mid || story.mids.size > 1) continue
    moments.push({ at: story.firstSend, story, mid, sent: true })
    if (story.firstReply !== Infinity) moments.push({ at: story.firstReply, story, mid, sent: false })
  }

  const found: Violation[] = []
  let newest = ''
  for (const { story, mid, sent } of moments.toSorted((a, b) => a.at - b.at)) {
    if (!sent) newest = mid > newest ? mid : newest
    else if (mid <= newest) {
      found.push(late(`${story.push.id} got mid ${mid} though ${newest} had been given out before it was sent`))
    }
  }
  return found
}

function late(what: string): Violation {
  return { kind: 'order', what }
}

function print({ story, mid }: Delivery): string {
  return `${story.push.id} (${mid})`
}
