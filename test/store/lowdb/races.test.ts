/** Whatever comes between whatever, over a slow disk: what was answered is there, also after a crash. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Mid } from '../../../server/protocol/states.ts'
import type { LazyOp, Store } from '../../../server/store/store.ts'
import { accept, ackOf, attemptOf, raiseOf, turn, write, writeAs } from '../../contract/store/words.ts'
import { type Random, random } from '../../crash/random.ts'
import { type Disk, watchDisk } from './disk.ts'
import { contentOf, openRig, quickFolder, type Rig } from './rig.ts'

const SEEDS = Array.from({ length: 30 }, (_, n) => n + 1)
const ACTIONS = 250
const NAMES = ['alice@user', 'bob@user', 'carol@user'] as const
const MOST_TURNS = 3

/** What was asked for of one message. */
interface Asked {
  readonly recipients: readonly string[]
  readonly acked: Set<string>
  readonly confirmed: Set<string>
  /** by recipient */
  readonly attempts: Map<string, number[]>
}

interface Model {
  readonly messages: Map<Mid, Asked>
  counted: number
}

type Action = (rig: Rig, model: Model, chance: Random) => Promise<unknown>

const how = (chance: Random) => (chance.chance(0.5) ? 'lazy' : 'sync')

function pickMessage({ messages }: Model, chance: Random): [Mid, Asked, string] | null {
  const all = [...messages]
  const [mid, asked] = all[chance.between(0, all.length)] ?? []
  const recipient = asked?.recipients[chance.between(0, asked.recipients.length)]
  return mid === undefined || !asked || recipient === undefined ? null : [mid, asked, recipient]
}

/** Writes, and then looks at once: what was answered is read, unless the message is pruned. */
async function writeAndLook(
  store: Store,
  op: LazyOp & { op: 'raise' | 'attempt' },
  mid: Mid,
  recipient: string,
  chance: Random,
) {
  expect(await writeAs(how(chance), store, [op])).toMatchObject({ ok: true })
  const delivery = await store.delivery(mid, recipient)
  if (op.op === 'raise' && delivery) expect(['delivered', 'confirmed']).toContain(delivery.state)
  const made = await store.attempts(mid, recipient)
  if (op.op === 'attempt' && (await store.message(mid))) expect(made.map(({ n }) => n)).toContain(op.attempt.n)
}

const actions: readonly [Action, ...Action[]] = [
  async ({ store, clock }, model, chance) => {
    const recipients = NAMES.filter(() => chance.chance(0.5))
    if (recipients.length === 0) return
    const mid = await accept(store, clock, recipients)
    model.messages.set(mid, { recipients, acked: new Set(), confirmed: new Set(), attempts: new Map() })
  },
  async ({ store }, model, chance) => {
    const [mid, asked, recipient] = pickMessage(model, chance) ?? []
    if (!mid || !asked || !recipient) return
    asked.acked.add(recipient)
    await writeAndLook(store, ackOf(mid, recipient), mid, recipient, chance)
  },
  async ({ store }, model, chance) => {
    const [mid, asked, recipient] = pickMessage(model, chance) ?? []
    if (!mid || !asked || !recipient || !asked.acked.has(recipient)) return
    asked.confirmed.add(recipient)
    await writeAndLook(store, raiseOf(mid, recipient, 'confirmed', { open: false }), mid, recipient, chance)
  },
  async ({ store }, model, chance) => {
    const [mid, asked, recipient] = pickMessage(model, chance) ?? []
    if (!mid || !asked || !recipient) return
    const made = asked.attempts.get(recipient) ?? []
    asked.attempts.set(recipient, made)
    made.push(made.length + 1)
    const attempt = attemptOf(made.length)
    await writeAndLook(store, { op: 'attempt', mid, recipient, attempt }, mid, recipient, chance)
  },
  ({ store }, _, chance) =>
    writeAs(how(chance), store, [{ op: 'put', kind: 'setting', id: `${chance.between(0, 5)}`, value: chance.next() }]),
  ({ store }, _, chance) => store.write([{ op: 'delete', kind: 'setting', id: `${chance.between(0, 5)}` }], 'sync'),
  async ({ store }, model) => {
    model.counted += 1
    await write(store, [{ op: 'count', meter: 'meter', by: 1 }])
  },
  ({ store }, model, chance) => {
    const [mid = ''] = pickMessage(model, chance) ?? []
    // the clock moves by whole seconds: no message has this one
    const never = String(Number(mid) + 500)
    return writeAs(how(chance), store, [raiseOf(never, NAMES[0], 'confirmed')])
  },
  ({ store }, _, chance) => store.inbox(chance.pick(NAMES), { limit: 10 }),
  ({ store }) => store.list({}, { limit: 10 }),
  async ({ clock }, _, chance) => {
    if (chance.chance(0.3)) await clock.advance(1_000)
  },
  async ({ store }, _, chance) => {
    if (chance.chance(0.2)) await store.prune({ count: chance.between(5, 40) }, 1_000)
  },
]

/** The store says of each message what was asked for, or has pruned it, which needs that nobody waits for it. */
async function compare(store: Store, { messages, counted }: Model): Promise<void> {
  for (const [mid, asked] of messages) {
    const { items } = await store.deliveries(mid)
    if (items.length === 0) {
      expect(asked.acked).toEqual(new Set(asked.recipients))
      continue
    }
    for (const { recipient, state, open } of items) {
      const expected = asked.confirmed.has(recipient)
        ? 'confirmed'
        : asked.acked.has(recipient)
          ? 'delivered'
          : 'queued'
      expect({ mid, state, open }).toEqual({ mid, state: expected, open: !asked.acked.has(recipient) })
      const made = await store.attempts(mid, recipient)
      expect(made.map(({ n }) => n)).toEqual(asked.attempts.get(recipient) ?? [])
    }
  }
  expect(await store.count('meter')).toBe(counted)
}

async function run(dir: string, disk: Disk, copies: string, chance: Random): Promise<void> {
  const rig = await openRig(dir)
  disk.pause = async () => {
    for (let turns = chance.between(0, MOST_TURNS); turns > 0; turns -= 1) await turn()
  }
  const model: Model = { messages: new Map(), counted: 0 }
  const done: Promise<unknown>[] = []
  for (let n = 0; n < ACTIONS; n += 1) {
    done.push(chance.pick(actions)(rig, model, chance))
    if (chance.chance(0.3)) await turn()
    if (chance.chance(0.02)) await Promise.all(done)
  }
  await Promise.all(done)
  await write(rig.store, [])
  await compare(rig.store, model)
  const content = await contentOf(rig.store)
  disk.copyAfterKill(join(copies, 'killed'))
  disk.copyAfterPowerCut(join(copies, 'cut'))
  await rig.store.close()
  expect(rig.failures).toEqual([])
  for (const copy of [dir, join(copies, 'killed'), join(copies, 'cut')]) {
    const again = await openRig(copy, { clock: rig.clock })
    expect(await contentOf(again.store), copy).toEqual(content)
    await again.store.close()
  }
}

test.each(SEEDS)('writes, checkpoints, prunes and reads all at once: seed %i', async (seed) => {
  const folder = await quickFolder()
  const dir = join(folder.dir, 'data')
  await mkdir(dir)
  const disk = await watchDisk(dir)
  try {
    await run(dir, disk, folder.dir, random(seed, 'races'))
  } finally {
    disk.restore()
    await rm(folder.dir, { recursive: true, maxRetries: 5 })
  }
})
