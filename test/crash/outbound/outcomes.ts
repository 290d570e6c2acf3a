/** Whether what was accepted got where its plan wants it, whether its task says so, and who was told if not. */
import { MONITOR, RETRIES, type Target } from './cast.ts'
import { callsOf, type Facts, print, resultOf, saysYes, type Story, type Violation, wasRefused } from './facts.ts'
import type { Notification } from './history.ts'
import { idIn } from './message.ts'
import { type Steps, stepsOf, type Track } from './plan.ts'

type Targets = ReadonlyMap<string, Target>

export function checkOutcomes({ stories, isAsked }: Facts, targets: Targets): Violation[] {
  return [...stories.values()].flatMap((story) => checkStory(story, targets, isAsked))
}

function checkStory(story: Story, targets: Targets, isAsked: boolean): Violation[] {
  const { push, ids, task } = story
  const target = targets.get(push.recipient)
  const steps = target ? stepsOf(target, push.strategy) : []
  const found = checkPhantom(story, steps)
  if (ids.size === 0) return found
  if (ids.size > 1) found.push({ kind: 'twoTasks', what: print(story) })
  if (!isAsked) return found
  if (task === null) return [...found, { kind: 'lost', what: `nobody knows the task of ${print(story)}` }]
  if (task.status === 'processing') return [...found, { kind: 'stuck', what: print(story) }]
  return [...found, ...checkTruth(story), ...checkPlan(story, steps)]
}

/** Nothing arrives that was refused, and only where the plan leads. */
function checkPhantom(story: Story, steps: Steps): Violation[] {
  const reached = [...story.calls.keys()].filter((endpoint) => endpoint !== MONITOR)
  if (reached.length === 0) return []
  if (story.sends === 0) return [{ kind: 'phantom', what: `nobody sent ${print(story)}` }]
  if (wasRefused(story)) return [{ kind: 'phantom', what: `refused: ${print(story)}` }]
  const known = new Set(steps.flat().flatMap(({ endpoints }) => endpoints))
  const strays = reached.filter((endpoint) => !known.has(endpoint))
  return strays.map((stray) => ({ kind: 'phantom', what: `${stray} is none of the ways of ${print(story)}` }))
}

/** A success is one that the vendor gave; what failed had none, unless the task leaves it open. */
function checkTruth(story: Story): Violation[] {
  const { task } = story
  const found: Violation[] = []
  const results = task?.results ?? []
  for (const { webhook, status, maybeDuplicate } of results) {
    const hadYes = callsOf(story, webhook).some(saysYes)
    if (status === 'success' && !hadYes) {
      found.push({ kind: 'untrue', what: `${webhook} never said yes: ${print(story)}` })
    }
    if (status === 'failed' && hadYes && maybeDuplicate !== true) {
      found.push({ kind: 'untrue', what: `${webhook} said yes: ${print(story)}` })
    }
    if (!KNOWN.has(status)) found.push({ kind: 'untrue', what: `${webhook} is still ${status}: ${print(story)}` })
  }
  const should = results.some(({ status }) => status === 'success') ? 'completed' : 'failed'
  if (task?.status !== should) found.push({ kind: 'untrue', what: `it should be ${should}: ${print(story)}` })
  return found
}

const KNOWN = new Set(['success', 'failed', 'timeout'])

/** Each step up to the first with a success left nothing untried, and nothing worked behind it. */
function checkPlan(story: Story, steps: Steps): Violation[] {
  const found: Violation[] = []
  let worked = false
  for (const tracks of steps) {
    const successes = tracks.map(({ endpoints }) => endpoints.filter((endpoint) => isAs(story, endpoint, 'success')))
    const firsts = successes.filter((of, at) => tracks[at]?.mode === 'first' && of.length > 1)
    if (firsts.length > 0 || (worked && successes.flat().length > 0)) {
      found.push({ kind: 'excess', what: `it had worked: ${print(story)}` })
    }
    const left = worked ? [] : tracks.flatMap((track) => untried(story, track))
    if (left.length > 0) found.push({ kind: 'lost', what: `${left.join()} never had it: ${print(story)}` })
    worked ||= successes.flat().length > 0
  }
  return found
}

/** What the track still owes. */
function untried(story: Story, { endpoints, mode }: Track): readonly string[] {
  const hasWorked = endpoints.some((endpoint) => isAs(story, endpoint, 'success'))
  if (mode === 'first' && hasWorked) return []
  return endpoints.filter((endpoint) => resultOf(story, endpoint) === null)
}

function isAs(story: Story, endpoint: string, status: string): boolean {
  return resultOf(story, endpoint)?.status === status
}

/**
 * What failed has exactly one unread notification; all else has none. It goes out as well, unless kills cut every
 * attempt at that.
 */
export function checkNotifications({ stories, kills }: Facts, notifications: readonly Notification[]): Violation[] {
  const found: Violation[] = []
  const byTask = new Map<string, Notification[]>()
  for (const notification of notifications) {
    byTask.set(notification.task, [...(byTask.get(notification.task) ?? []), notification])
  }
  for (const story of stories.values()) {
    const mine = [...story.ids].flatMap((id) => byTask.get(id) ?? [])
    if (story.task?.status === 'failed') found.push(...checkAlarm(story, mine, kills))
    else if (mine.length > 0) found.push({ kind: 'falseAlarm', what: print(story) })
  }
  for (const [task, of] of byTask) found.push(...checkOrigin(task, of, stories))
  return found
}

function checkAlarm(story: Story, mine: readonly Notification[], kills: Facts['kills']): Violation[] {
  const unread = mine.filter(({ status }) => status === 'unread')
  if (unread.length === 0) return [{ kind: 'unheard', what: `no notification about ${print(story)}` }]
  if (unread.length > 1) return [{ kind: 'heardTwice', what: `${unread.length} about ${print(story)}` }]
  const cuts = kills.filter(({ place }) => place > story.firstSend).length
  if (cuts <= RETRIES && !callsOf(story, MONITOR).some(saysYes)) {
    return [{ kind: 'unheard', what: `the notification never went out: ${print(story)}` }]
  }
  return []
}

/** A notification is about a message that was sent; one whose answer got lost has one at most, too. */
function checkOrigin(task: string, of: readonly Notification[], stories: Facts['stories']): Violation[] {
  const [first] = of
  const story = stories.get(idIn(first?.title ?? '') ?? '')
  if (!story || wasRefused(story)) return [{ kind: 'falseAlarm', what: `${task}: ${first?.title}, which nobody sent` }]
  if (story.ids.has(task)) return []
  if (story.ids.size > 0) return [{ kind: 'falseAlarm', what: `${task}, which is not the task of ${print(story)}` }]
  return of.length > 1 ? [{ kind: 'heardTwice', what: `${of.length} about ${task} of ${print(story)}` }] : []
}
