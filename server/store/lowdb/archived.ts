/** Parts changes to messages that are in memory from changes to messages that must be read first. */
import type { Mid } from '../../protocol/states.ts'
import type { Change } from '../state/change.ts'
import type { AttemptMade, Raise } from '../store.ts'

/** @param archived messages that are not in memory; none of them has a lease, so none is stepped */
export function splitArchived(
  changes: readonly Change[],
  archived: ReadonlySet<Mid>,
): { readonly here: readonly Change[]; readonly there: readonly (Raise | AttemptMade)[] } {
  const here: Change[] = []
  const there: (Raise | AttemptMade)[] = []
  for (const change of changes) {
    if (change.op === 'raise') {
      const late = change.of.filter(([mid]) => archived.has(mid))
      const rest = change.of.filter(([mid]) => !archived.has(mid))
      if (late.length > 0) there.push({ ...change, of: late })
      if (rest.length > 0) here.push({ ...change, of: rest })
    } else if (change.op === 'attempt' && archived.has(change.mid)) there.push(change)
    else here.push(change)
  }
  return { here, there }
}
