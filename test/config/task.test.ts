import { describe, expect, test } from 'vitest'
import { configFolder } from '../helpers/config.ts'

describe('durations', () => {
  test.each([
    ['600', 600_000],
    ['0.5h', 1_800_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['90s', 90_000],
    ['1500ms', 1_500],
  ])('%s', async (text, ms) => {
    const { file, read } = configFolder()
    file('config.yaml', `task: {max_age: ${text}}`)
    expect((await read()).config.task.max_age).toBe(ms)
    file('config.yaml', '{}')
    expect((await read({}, { CARILLON_TASK__MAX_AGE: text })).config.task.max_age).toBe(ms)
  })

  test.each(['ten', '10', '10 m', '-10m', '1y', ''])('%j is none', async (text) => {
    const { file, mistakes } = configFolder()
    file('config.yaml', `task: {cleanup_interval: "${text}"}`)
    expect(await mistakes()).toEqual(['task.cleanup_interval: expected seconds, or a duration such as "10m" or "24h"'])
  })

  test.each(['0', '"0s"', '"999ms"'])('%s is too short', async (text) => {
    const { file, mistakes } = configFolder()
    file('config.yaml', `task: {cleanup_interval: ${text}}`)
    expect(await mistakes()).toEqual(['task.cleanup_interval: expected 1 s or longer'])
  })
})

test('an hour, and no age, unless told', async () => {
  const { read } = configFolder()
  expect((await read()).config.task).toEqual({ cleanup_interval: 3_600_000, max_age: null })
})
