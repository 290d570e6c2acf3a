import { FAULTS } from './faults.ts'

const program = new URL('./faulty.ts', import.meta.url).pathname

/** Hubs that break a promise, by the name of their fault: what node runs in place of the built hub. */
export const faultyHubs: ReadonlyMap<string, readonly string[]> = new Map(
  [...FAULTS.keys()].map((fault) => [fault, ['--import', 'tsx', program, fault]]),
)
