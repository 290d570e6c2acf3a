import type { Case } from './case.ts'
import { checkpoint } from './checkpoint.ts'
import { drain } from './drain.ts'
import { group10000 } from './crowd.ts'
import { history } from './history.ts'
import { group, paced, personal, personal5000 } from './push.ts'
import { restart } from './restart.ts'
import { sessions, sessions18000 } from './sessions.ts'

/** In the order that a round runs them in. */
export const cases = {
  personal,
  personal5000,
  history,
  checkpoint,
  paced,
  group,
  group10000,
  sessions,
  sessions18000,
  drain,
  restart,
} satisfies Record<string, Case>

export type CaseName = keyof typeof cases
export const caseNames = Object.keys(cases) as [CaseName, ...CaseName[]]
