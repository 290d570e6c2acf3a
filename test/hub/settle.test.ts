import { expect, test } from 'vitest'
import { createReplies } from '../../server/hub/reply.ts'
import { createSettle, event, happening } from '../../server/hub/settle.ts'
import { createMemoryStore } from '../../server/store/memory.ts'
import type { LazyOp, Op, Store } from '../../server/store/store.ts'
import { testClock } from '../helpers/clock.ts'
import { silentLog } from '../helpers/folder.ts'

const ACKED = happening('delivered', { via: 'websocket', closes: true })
const SENT = happening('sent', { via: 'websocket', closes: false })

/** A settle whose store keeps note of what it was asked to write. */
async function rig() {
  const clock = testClock()
  const memory = createMemoryStore({ clock })
  await memory.open()
  const writes: { how: string; ops: readonly (Op | LazyOp)[] }[] = []
  const store: Store = {
    ...memory,
    write(ops: readonly Op[] | readonly LazyOp[], how: 'sync' | 'lazy') {
      writes.push({ how, ops })
      return memory.write(ops, 'sync')
    },
  }
  const settle = createSettle({ store, replies: createReplies(clock), clock, log: silentLog })
  const accept = async (recipients: string[]) => {
    const written = await memory.write(
      [
        {
          op: 'accept',
          message: {
            at: clock.now(),
            from: { method: 'http', name: '' },
            to: ['all@group'],
            body: {},
            blobs: [],
            strategy: null,
            expiresAt: null,
          },
          recipients,
          planned: [],
        },
      ],
      'sync',
    )
    return written.ok ? (written.mids[0]?.mid ?? '') : ''
  }
  return { settle, store, writes, accept, turn: () => new Promise((resolve) => setImmediate(resolve)) }
}

test('what happens in one turn becomes one lazy write, one raise for each kind of event', async () => {
  const { settle, store, writes, accept, turn } = await rig()
  const first = await accept(['a@user', 'b@user'])
  const second = await accept(['a@user'])
  settle.soon(SENT, first, 'a@user')
  settle.soon(SENT, first, 'b@user')
  settle.soon(ACKED, first, 'a@user')
  settle.soon(SENT, second, 'a@user')
  settle.soonToo({ op: 'put', kind: 'device', id: 'a@user/', value: 1 })
  settle.soonToo({ op: 'put', kind: 'device', id: 'a@user/', value: 2 })
  await turn()

  expect(writes).toHaveLength(1)
  expect(writes[0]).toMatchObject({
    how: 'lazy',
    ops: [
      {
        op: 'raise',
        state: 'sent',
        open: true,
        of: [
          [first, ['a@user', 'b@user']],
          [second, ['a@user']],
        ],
      },
      { op: 'raise', state: 'delivered', open: false, of: [[first, ['a@user']]] },
      { op: 'put', value: 2 },
    ],
  })
  expect((await store.deliveries(first)).items.map(({ state, open }) => [state, open])).toEqual([
    ['delivered', false],
    ['sent', true],
  ])
})

test('what is written now is told to who listens, when it is durable', async () => {
  const { settle, writes, accept } = await rig()
  const mid = await accept(['a@user', 'b@user'])
  const told: string[] = []
  settle.onClosed((what, _, recipient) => void told.push(`${recipient} ${what.state}`))
  const written = settle.now(
    [
      event(mid, 'a@user', 'sent', { closes: false }),
      event(mid, 'b@user', 'expired', { reason: 'expired', closes: true }),
    ],
    [],
  )
  expect(told).toEqual([])
  await written
  expect(told).toEqual(['b@user expired'])
  expect(writes[0]).toMatchObject({ how: 'sync', ops: [{ state: 'sent' }, { state: 'expired', open: false }] })
})
