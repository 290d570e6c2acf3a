import type { Event, History, Push, Result, Task, Word } from './history.ts'

export type Violation = {
  readonly kind:
    | 'lost'
    | 'stuck'
    | 'unheard'
    | 'heardTwice'
    | 'falseAlarm'
    | 'phantom'
    | 'untrue'
    | 'excess'
    | 'unmarked'
    | 'forgot'
    | 'tooMany'
    | 'order'
    | 'twoTasks'
    | 'selfExit'
    | 'nonsense'
  readonly what: string
}

/** One request that a vendor read. Places are those in the history. */
export interface Call {
  readonly push: string
  readonly endpoint: string
  readonly mid: string | null
  readonly took: boolean
  readonly life: number
  readonly place: number
  said: Word | null
  /** place and ms of the answer */
  saidPlace: number
  saidAt: number
}

/** What became of one push, over all its requests. */
export interface Story {
  readonly push: Push
  sends: number
  refusals: number
  firstSend: number
  firstAccepted: number
  /** told by a 2xx */
  readonly ids: Set<string>
  readonly mids: Set<string>
  /** by endpoint, in order */
  readonly calls: Map<string, Call[]>
  /** null: no answer told its id, or the hub does not know it */
  task: Task | null
}

export interface Kill {
  readonly place: number
  readonly life: number
  readonly at: number
}

export interface Facts {
  /** the hub could be asked in the end */
  readonly isAsked: boolean
  readonly stories: ReadonlyMap<string, Story>
  readonly calls: readonly Call[]
  readonly kills: readonly Kill[]
}

/** Reads a history once and sorts it by push. */
export function gather({ pushes, events, said }: History): Facts {
  const stories = new Map([...pushes].map(([id, push]) => [id, begin(push)]))
  const calls = new Map<number, Call>()
  const kills: Kill[] = []
  for (const [place, event] of events.entries()) {
    if (event.type === 'kill') kills.push({ ...event, place })
    else if (event.type === 'arrive') {
      const call = { ...event, place, said: null, saidPlace: Infinity, saidAt: Infinity }
      calls.set(event.call, call)
      const story = stories.get(event.push)
      story?.calls.set(event.endpoint, [...(story.calls.get(event.endpoint) ?? []), call])
    } else if (event.type === 'answer') {
      const call = calls.get(event.call)
      if (call) Object.assign(call, { said: event.said, saidPlace: place, saidAt: event.at })
    } else if ('push' in event) {
      const story = stories.get(event.push)
      if (story) tell(story, event, place)
    }
  }
  for (const story of stories.values()) {
    const [id] = story.ids
    story.task = (id === undefined ? undefined : said?.tasks.get(id)) ?? null
  }
  return { isAsked: said !== null, stories, calls: [...calls.values()], kills }
}

/** Every answer is in and none of them accepted it. */
export function wasRefused({ sends, refusals, ids }: Story): boolean {
  return ids.size === 0 && sends === refusals
}

export function resultOf({ task }: Story, endpoint: string): Result | null {
  return task?.results.find(({ webhook }) => webhook === endpoint) ?? null
}

export function callsOf({ calls }: Story, endpoint: string): readonly Call[] {
  return calls.get(endpoint) ?? []
}

export function saysYes({ said }: Call): boolean {
  return said === 'yes'
}

/** Everything that is known of it, in one line. */
export function print({ push, ids, mids, calls, task }: Story): string {
  const { id, recipient, strategy } = push
  const head = `${id} for ${recipient} by ${strategy ?? 'its strategy'}, ${[...ids, ...mids].join(' ') || 'not accepted'}`
  const made = [...calls.values()]
    .flat()
    .toSorted((a, b) => a.place - b.place)
    .map(
      ({ endpoint, life, took, said, place, saidPlace }) =>
        `[${place}-${saidPlace}] life ${life} ${endpoint}${took ? ' took it' : ''} said ${said ?? 'nothing yet'}`,
    )
  const results = task?.results.map(
    ({ webhook, status, message, maybeDuplicate }) =>
      `${webhook} ${status}${maybeDuplicate === true ? ' maybeDuplicate' : ''} (${message})`,
  )
  return `${head}; ${made.join(', ') || 'never arrived'}; task ${task?.status ?? 'unknown'}: ${results?.join(', ') ?? ''}`
}

function begin(push: Push): Story {
  return {
    push,
    sends: 0,
    refusals: 0,
    firstSend: Infinity,
    firstAccepted: Infinity,
    ids: new Set(),
    mids: new Set(),
    calls: new Map(),
    task: null,
  }
}

function tell(story: Story, event: Event, place: number): void {
  if (event.type === 'send') {
    story.sends += 1
    story.firstSend = Math.min(story.firstSend, place)
  } else if (event.type === 'refused') story.refusals += 1
  else if (event.type === 'accepted') {
    story.firstAccepted = Math.min(story.firstAccepted, place)
    story.ids.add(event.task)
    story.mids.add(event.mid)
  }
}
