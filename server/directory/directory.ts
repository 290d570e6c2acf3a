/**
 * Who can be reached: recipients, their groups and devices. The config's part is fixed, the
 * stored part is read once at start; all is served from memory and written through to the store.
 */
import type { GroupId, RecipientId } from '../protocol/address.ts'
import type { Mid } from '../protocol/states.ts'
import type { Kind, Op, Put, Store } from '../store/store.ts'
import { createGroups } from './groups.ts'

const SCAN_PAGE = 1_000
const NOBODY: readonly RecipientId[] = Object.freeze([])

/** A recipient that the config names. */
export interface ConfiguredRecipient {
  readonly id: RecipientId
  readonly groups: readonly GroupId[]
  /** it is expected to open sessions, so messages wait for it even when an endpoint has them */
  readonly connects: boolean
}

/** A remembered place of a recipient; '' is the one of sessions that gave no device. */
export interface Device {
  /** everything up to here was acked on this device */
  readonly cursor: Mid
  /** the client on it can say that a person confirmed */
  readonly confirms: boolean
}

/** Where something registered by a client leads, kept until its channel exists or the recipient leaves. */
export interface Registration {
  readonly channel: 'webpush' | 'fcm'
  readonly device: string
  readonly address: unknown
}

export interface Directory {
  /** recipients that it knows */
  readonly size: number
  has(id: RecipientId): boolean
  /** The recipient as a list of one, empty if there is none. The array is shared and never changed. */
  alone(id: RecipientId): readonly RecipientId[]
  /** Members in order of joining; empty for an unknown group. The array is never changed. */
  members(group: GroupId): readonly RecipientId[]
  /** It opens sessions, or did: messages are owed to them, whatever an endpoint did. */
  connects(id: RecipientId): boolean
  /**
   * A client came as this recipient, with this group or none; its former group is left. Durable with the next
   * write. Throws what the store throws, and then nothing has changed.
   */
  join(id: RecipientId, group: GroupId | null): Promise<void>
  device(id: RecipientId, device: string): Device | null
  devices(id: RecipientId): ReadonlyMap<string, Device>
  /** Remembers the device in memory and returns the op that makes it last. */
  putDevice(id: RecipientId, device: string, value: Device): Put
  register(id: RecipientId, registration: Registration): Promise<void>
  /** Forgets what was stored of the recipient and returns the ops that make it last. The config's part stays. */
  forget(id: RecipientId): readonly Op[]
}

interface StoredRecipient {
  readonly group: GroupId | null
}

/** Reads what the store has and joins it with the config's recipients. */
export async function loadDirectory(store: Store, configured: readonly ConfiguredRecipient[]): Promise<Directory> {
  const fixed = new Map(configured.map((recipient) => [recipient.id, recipient]))
  const stored = new Map<RecipientId, StoredRecipient>()
  const devices = new Map<RecipientId, Map<string, Device>>()
  const registrations = new Map<RecipientId, Set<string>>()
  const groups = createGroups()
  const none: ReadonlyMap<string, Device> = new Map()
  const alone = new Map<RecipientId, readonly RecipientId[]>()

  for (const { id, groups: named } of configured) for (const group of named) groups.add(group, id)
  for await (const { id, value } of documents<StoredRecipient>(store, 'recipient')) {
    stored.set(id, value)
    if (value.group !== null) groups.add(value.group, id)
  }
  for await (const { id, value } of documents<Device>(store, 'device')) {
    const [recipient, device] = splitId(id)
    mapOf(devices, recipient).set(device, value)
  }
  for await (const { id } of documents<Registration>(store, 'endpoint')) {
    const [recipient] = splitId(id)
    remember(registrations, recipient, id)
  }

  function has(id: RecipientId): boolean {
    return stored.has(id) || fixed.has(id)
  }

  function leave(id: RecipientId, group: GroupId | null): void {
    if (group !== null && !fixed.get(id)?.groups.includes(group)) groups.remove(group, id)
  }

  function move(id: RecipientId, from: StoredRecipient | undefined, to: StoredRecipient | undefined): void {
    leave(id, from?.group ?? null)
    if (to === undefined) {
      stored.delete(id)
      alone.delete(id)
      return
    }
    if (to.group !== null) groups.add(to.group, id)
    stored.set(id, to)
  }

  return {
    get size() {
      let size = stored.size
      for (const id of fixed.keys()) if (!stored.has(id)) size += 1
      return size
    },
    has,
    alone(id) {
      const known = alone.get(id)
      if (known) return known
      if (!has(id)) return NOBODY
      const list = Object.freeze([id])
      alone.set(id, list)
      return list
    },
    members: (group) => groups.members(group),
    connects: (id) => stored.has(id) || fixed.get(id)?.connects === true,

    async join(id, group) {
      const known = stored.get(id)
      if (known && known.group === group) return
      const joined: StoredRecipient = { group }
      move(id, known, joined)
      try {
        await store.write([{ op: 'put', kind: 'recipient', id, value: joined }], 'lazy')
      } catch (error) {
        if (stored.get(id) === joined) move(id, joined, known)
        throw error
      }
    },

    device: (id, device) => devices.get(id)?.get(device) ?? null,
    devices: (id) => (devices.size === 0 ? none : (devices.get(id) ?? none)),
    putDevice(id, device, value) {
      mapOf(devices, id).set(device, value)
      return { op: 'put', kind: 'device', id: `${id}/${device}`, value }
    },

    async register(id, registration) {
      const key = `${id}/${registration.channel}/${registration.device}`
      remember(registrations, id, key)
      await store.write([{ op: 'put', kind: 'endpoint', id: key, value: registration }], 'sync')
    },

    forget(id) {
      const known = stored.get(id)
      const gone: [Kind, string][] = [
        ...(known ? [['recipient', id] satisfies [Kind, string]] : []),
        ...[...(devices.get(id)?.keys() ?? [])].map((device): [Kind, string] => ['device', `${id}/${device}`]),
        ...[...(registrations.get(id) ?? [])].map((key): [Kind, string] => ['endpoint', key]),
      ]
      move(id, known, undefined)
      devices.delete(id)
      registrations.delete(id)
      return gone.map(([kind, key]) => ({ op: 'delete', kind, id: key }))
    },
  }
}

async function* documents<T>(store: Store, kind: Kind): AsyncGenerator<{ id: string; value: T }> {
  let after: string | undefined
  for (;;) {
    const page = await store.scan<T>(kind, { limit: SCAN_PAGE, ...(after === undefined ? {} : { after }) })
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}

/** `alice@user/phone` → `alice@user`, `phone`: no name holds a slash. */
function splitId(id: string): [RecipientId, string] {
  const slash = id.indexOf('/')
  return [id.slice(0, slash), id.slice(slash + 1)]
}

function mapOf<K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const map = maps.get(key) ?? new Map<K, V>()
  maps.set(key, map)
  return map
}

function remember(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key) ?? new Set()
  set.add(value)
  sets.set(key, set)
}
