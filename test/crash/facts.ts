import type { Event, History, Push } from './history.ts'

export type Violation = {
  readonly kind:
    | 'lost'
    | 'order'
    | 'midReuse'
    | 'twoMids'
    | 'falseOk'
    | 'foreignAck'
    | 'phantom'
    | 'corrupt'
    | 'wrongTarget'
    | 'rejectedDelivered'
    | 'groupOmitted'
    | 'forgotten'
    | 'badReply'
    | 'dupAfterOk'
    | 'selfExit'
    | 'badGoodbye'
    | 'nonsense'
  readonly what: string
}

export type Received = Extract<Event, { type: 'receive' }>

/** What became of one push, over all its requests. Times are places in the history. */
export interface Story {
  readonly push: Push
  firstSend: number
  firstReply: number
  requests: number
  replies: number
  refusals: number
  /** told to a pusher, or seen on a frame */
  readonly mids: Set<string>
  /** names that some reply accepted it for */
  readonly accepted: Set<string>
  /** names that some reply said it was not accepted for */
  readonly declined: Set<string>
  /** names that have received it */
  readonly reached: Set<string>
}

/** The first time that a receiver got a push. */
export interface Delivery {
  readonly at: number
  readonly story: Story
  readonly mid: string
}

export interface Facts {
  readonly stories: ReadonlyMap<string, Story>
  /** by receiver, in the order of receiving */
  readonly deliveries: ReadonlyMap<string, readonly Delivery[]>
  readonly copies: number
}

const NOT_ACCEPTED = new Set(['no', 'full', 'failed'])

/** Reads a history once and sorts it by push and by receiver. Frames of unknown pushes are left out. */
export function gather(history: History): Facts {
  const stories = new Map<string, Story>()
  const deliveries = new Map<string, Delivery[]>()
  let copies = 0
  for (const [id, push] of history.pushes) stories.set(id, begin(push))

  for (const [at, event] of history.events.entries()) {
    if (event.type === 'receive') {
      copies++
      const story = stories.get(event.text)
      if (story) receive(story, event, at, deliveries)
    } else if ('push' in event) {
      const story = stories.get(event.push)
      if (story) tell(story, event, at)
    }
  }
  return { stories, deliveries, copies }
}

/** Every answer is in and none of them accepted it for this name. */
export function wasRejected(story: Story, name: string): boolean {
  const { requests, replies, refusals } = story
  if (requests === 0 || requests > replies + refusals || story.accepted.has(name)) return false
  return replies === 0 || story.declined.has(name)
}

function begin(push: Push): Story {
  return {
    push,
    firstSend: Infinity,
    firstReply: Infinity,
    requests: 0,
    replies: 0,
    refusals: 0,
    mids: new Set(),
    accepted: new Set(),
    declined: new Set(),
    reached: new Set(),
  }
}

function tell(story: Story, event: Exclude<Event, Received>, at: number): void {
  if (event.type === 'send') {
    story.requests++
    story.firstSend = Math.min(story.firstSend, at)
  } else if (event.type === 'refusal') {
    story.refusals++
  } else if (event.type === 'reply') {
    story.replies++
    story.firstReply = Math.min(story.firstReply, at)
    story.mids.add(event.mid)
    for (const [name, state] of Object.entries(event.states)) {
      const names = NOT_ACCEPTED.has(state) ? story.declined : story.accepted
      names.add(name)
    }
  }
}

function receive(story: Story, event: Received, at: number, deliveries: Map<string, Delivery[]>): void {
  story.mids.add(event.mid)
  if (story.reached.has(event.name)) return
  story.reached.add(event.name)
  const mine = deliveries.get(event.name) ?? []
  mine.push({ at, story, mid: event.mid })
  deliveries.set(event.name, mine)
}
