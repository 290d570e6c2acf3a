import type { Load } from './generator/load.ts'

export type Side = 'hub' | 'baseline'

export const caseNames = ['personal', 'personal5000', 'group', 'sessions'] as const
export type CaseName = (typeof caseNames)[number]

export interface Case {
  readonly title: string
  load(seconds: number): Load
}

export const cases: Record<CaseName, Case> = {
  personal: {
    title: 'personal push, 64 pushers, 1,000 clients',
    load: (seconds) => ({ type: 'push', sendType: 'personal', clients: 1_000, pushers: 64, seconds }),
  },
  personal5000: {
    title: 'personal push, 64 pushers, 5,000 clients',
    load: (seconds) => ({ type: 'push', sendType: 'personal', clients: 5_000, pushers: 64, seconds }),
  },
  group: {
    title: 'push to a group of 1,000, one in flight',
    load: (seconds) => ({ type: 'push', sendType: 'group', clients: 1_000, pushers: 1, seconds }),
  },
  sessions: {
    title: '8,000 sessions: connect, AUTH, then idle',
    load: () => ({ type: 'sessions', clients: 8_000 }),
  },
}
