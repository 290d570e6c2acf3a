import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const SHOWN = 30
/** Thread 0 is the main one; others load modules. */
const MAIN_THREAD = /^CPU\.\d+\.\d+\.\d+\.0\.\d+\.cpuprofile$/

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
    }),
  ),
  samples: z.array(z.int()),
  /** us since the sample before */
  timeDeltas: z.array(z.int()),
})

type Frame = z.infer<typeof profileSchema>['nodes'][number]['callFrame']

/** Where the server in `dir` spent its time: self time by function, the greatest first, of all but idling. */
export function profileSummary(dir: string): string {
  const file = readdirSync(dir).find((name) => MAIN_THREAD.test(name))
  if (file === undefined) throw new Error('the server wrote no profile')
  const self = selfTimes(profileSchema.parse(JSON.parse(readFileSync(join(dir, file), 'utf8'))))
  self.delete('(idle)')
  const total = [...self.values()].reduce((sum, us) => sum + us, 0)
  return [...self]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(
      ([name, us]) =>
        `${((us / total) * 100).toFixed(1).padStart(6)} %  ${(us / 1_000).toFixed(0).padStart(6)} ms  ${name}`,
    )
    .join('\n')
}

function selfTimes({ nodes, samples, timeDeltas }: z.infer<typeof profileSchema>): Map<string, number> {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const self = new Map<string, number>()
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '(unknown)'
    self.set(name, (self.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  })
  return self
}

/** `push server/hub/push.js:32`; paths from the repository's root or its modules on. */
function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = /(?:node_modules|dist|test)\/.+$/.exec(url)?.[0] ?? url
  return `${name}  ${place}:${lineNumber + 1}`
}
