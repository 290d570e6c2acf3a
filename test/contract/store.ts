/**
 * What every store promises, as server/store/store.ts says it: one suite that runs over memory, lowdb and
 * the deliberately slow store. A wake-up may be lost, so nothing here waits for one without asking again.
 */
import { describe } from 'vitest'
import { testAccepts } from './store/accepts.ts'
import { testAtomicity } from './store/atomic.ts'
import { testAttempts } from './store/attempts.ts'
import { benchOf, type MakeStore } from './store/bench.ts'
import { testBlobs } from './store/blobs.ts'
import { testChanges } from './store/changes.ts'
import { testDeliveries } from './store/deliveries.ts'
import { testDocuments } from './store/documents.ts'
import { testFigures } from './store/figures.ts'
import { testHolds } from './store/holds.ts'
import { testInbox } from './store/inbox.ts'
import { testLife } from './store/life.ts'
import { testList } from './store/list.ts'
import { testMeters } from './store/meters.ts'
import { testModel } from './store/model.ts'
import { testOnce } from './store/once.ts'
import { testPrune } from './store/prune.ts'
import { testRaises } from './store/raises.ts'
import { testRoom } from './store/room.ts'
import { testWork } from './store/work.ts'

export type { MakeStore } from './store/bench.ts'

/** Runs the whole contract over the stores that `make` makes, a fresh one for each test. */
export function testStore(name: string, make: MakeStore): void {
  describe(name, () => {
    const bench = benchOf(make)
    describe('accept', () => testAccepts(bench))
    describe('once', () => testOnce(bench))
    describe('room', () => testRoom(bench))
    describe('all ops or none', () => testAtomicity(bench))
    describe('raise', () => testRaises(bench))
    describe('work', () => testWork(bench))
    describe('holds', () => testHolds(bench))
    describe('attempt', () => testAttempts(bench))
    describe('documents', () => testDocuments(bench))
    describe('meters', () => testMeters(bench))
    describe('deliveries', () => testDeliveries(bench))
    describe('inbox', () => testInbox(bench))
    describe('list', () => testList(bench))
    describe('blobs', () => testBlobs(bench))
    describe('prune', () => testPrune(bench))
    describe('changes', () => testChanges(bench))
    describe('figures', () => testFigures(bench))
    describe('life', () => testLife(bench))
  })
  describe(`${name}, beside a model`, () => testModel(make))
}
