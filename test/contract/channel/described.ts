/** What a channel says of itself, to operators and to the hub. */
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { Bench, ChannelUnderTest } from './bench.ts'

const CHINESE = /\p{Script=Han}/u

export function testDescribed({ channel, platform, section, secrets }: ChannelUnderTest, bench: Bench): void {
  test('its title and where credentials come from are there in both languages', () => {
    expect(channel.title.en).toMatch(/\S/)
    expect(channel.title.zh).toMatch(/\S/)
    expect(channel.credentials.en).toMatch(/\w{3,}/)
    expect(channel.credentials.zh).toMatch(CHINESE)
  })

  test('its example is a platform', () => {
    expect(channel.platform.safeParse(channel.example).error).toBeUndefined()
    expect(channel.platform.parse(channel.example)).toMatchObject({ enabled: true })
  })

  test('a key that it does not know is an error', () => {
    const given = { ...Object(channel.example), unknown_key: 1 }
    expect(channel.platform.safeParse(given).error?.message).toContain('unknown_key')
  })

  test('every key of its config is described in both languages', () => {
    const schemas = [channel.platform, channel.section, channel.account].filter((schema) => schema !== null)
    const keys = schemas.flatMap((schema) =>
      keysOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'ref' })),
    )
    expect(keys.length).toBeGreaterThan(1)
    const bare = keys.filter(({ description, zh }) => !/\w/.test(description) || !CHINESE.test(zh))
    expect(bare.map(({ path }) => path)).toEqual([])
  })

  test('ids and names of its endpoints are stable and hold no secret', () => {
    const ids = () =>
      channel
        .endpoints(platform('https://vendor.example.com'), section?.('https://vendor.example.com'), BACKOFF)
        .map(({ id, name }) => ({ id, name }))
    expect(ids().length).toBeGreaterThan(0)
    expect(ids()).toEqual(ids())
    expect(new Set(ids().map(({ id }) => id)).size).toBe(ids().length)
    for (const secret of secrets) expect(JSON.stringify(ids())).not.toContain(secret)
  })

  test('its limits and rates are amounts', () => {
    const { limits, rates } = bench.capabilities
    const amounts = [limits?.text.max, limits?.card.max, ...rates.flatMap(({ count, perMs }) => [count, perMs])]
    for (const amount of amounts) if (amount !== undefined) expect(amount).toBeGreaterThan(0)
  })
}

const BACKOFF = { firstMs: 1_000, maxMs: 1_000, tries: 1 }

interface Key {
  readonly path: string
  readonly description: string
  readonly zh: string
}

/** Every property of a JSON schema, however deep, with its descriptions. */
function keysOf(schema: unknown, path = ''): Key[] {
  if (typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(schema)) return schema.flatMap((item) => keysOf(item, path))
  return Object.entries(schema).flatMap(([name, inner]) =>
    name === 'properties' ? propertiesOf(inner, path) : keysOf(inner, path),
  )
}

function propertiesOf(properties: unknown, path: string): Key[] {
  return Object.entries(Object(properties)).flatMap(([name, inner]) => {
    const { description = '', zh = '' } = Object(inner)
    const here = path === '' ? name : `${path}.${name}`
    return [{ path: here, description: String(description), zh: String(zh) }, ...keysOf(inner, here)]
  })
}
