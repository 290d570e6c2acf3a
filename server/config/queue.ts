/** How pushes through platforms are worked off: the section `queue` of PushServer. */
import * as z from 'zod'
import type { Backoff } from '../channels/channel.ts'

const JITTER = 1.2

export const queueSchema = z
  .strictObject({
    worker_count: z.int().min(1).max(1_000).default(50).meta({
      description: 'attempts through platforms at once',
      zh: '同时进行的平台推送数',
    }),
    buffer_size: z.int().min(1).default(10_000).meta({
      description: 'deliveries that may wait for a worker; beyond it a push is answered 503 and nothing is accepted',
      zh: '等待推送的最大投递数；超过后返回 503，不接收任何消息',
    }),
    timeout: z.number().min(0.1).max(300).default(10).meta({
      description: 'seconds that one attempt may take, webhooks included',
      zh: '单次推送的超时秒数，包括 webhook',
    }),
    max_concurrent_per_platform: z.int().min(1).max(1_000).default(20).meta({
      description: 'attempts through one platform at once',
      zh: '每个平台同时进行的推送数',
    }),
    batch_size: z.int().min(1).max(10_000).default(100).meta({
      description: 'deliveries taken from the queue at once',
      zh: '每次从队列取出的投递数',
    }),
    retry_count: z.int().min(0).max(100).default(3).meta({
      description: 'more rounds over what failed and may work later',
      zh: '失败后的重试轮数',
    }),
    retry_delay: z.number().min(0.1).max(86_400).default(5).meta({
      description: 'seconds between rounds, up to a fifth longer so that not all come back at once',
      zh: '两轮之间的间隔秒数，最多随机延长五分之一',
    }),
  })
  .prefault({})
  .meta({
    description: 'how pushes through platforms are worked off; webhooks of `webhook.clients` retry on their own terms',
    zh: '平台推送队列；`webhook.clients` 按各自的规则重试',
  })

/** The rounds of an endpoint that has no terms of its own. */
export function backoffOf({ retry_count, retry_delay }: z.infer<typeof queueSchema>): Backoff {
  const firstMs = Math.round(retry_delay * 1000)
  return { firstMs, maxMs: Math.round(firstMs * JITTER), tries: 1 + retry_count }
}
