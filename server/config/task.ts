/** When settled messages are dropped: the section `task` of PushServer, beside `retention`. */
import * as z from 'zod'
import { durationSchema } from './duration.ts'

const LEAST_MS = 1_000

export const taskSchema = z
  .strictObject({
    cleanup_interval: durationSchema(LEAST_MS).prefault('1h').meta({
      description: 'time between two rounds of dropping old messages: seconds, or a text such as "10m"',
      zh: '两次清理旧消息的间隔：秒数，或 "10m" 这样的文本',
    }),
    max_age: durationSchema(LEAST_MS).nullable().default(null).meta({
      description:
        'how long settled messages can be asked for: seconds, or a text such as "24h"; the shorter of this and `retention.days` counts; null: no limit',
      zh: '已完成的任务可查询多久：秒数，或 "24h" 这样的文本；与 `retention.days` 取较短者；null 表示不限',
    }),
  })
  .prefault({})
  .meta({ description: 'clearing away what is settled', zh: '已完成任务的清理' })
