/** The words in which the two versions of PushServer differ, and what they have in common. */
import { onlyPlatform } from '../../hub/plan.ts'
import { STRATEGIES } from '../../hub/hub.ts'
import type { Dialect } from '../../protocol/ids.ts'

interface Words {
  readonly pushed: string
  readonly found: string
  readonly sent: string
}

export const words: Readonly<Record<Dialect, Words>> = {
  '1': { pushed: '消息推送任务已创建', found: '任务查询成功', sent: '消息发送成功' },
  '2': { pushed: '推送任务已提交', found: '获取任务状态成功', sent: '发送成功' },
}

/** What a recipient's platforms do when neither message nor config names a strategy. */
const USUAL = 'failover'

/**
 * The name of a strategy as callers know it.
 * @param strategy of a message as the store has it
 * @param usual what the config says of its recipient
 */
export function strategyName(strategy: string | null, usual: string | null = null): string {
  if (strategy?.startsWith(onlyPlatform(''))) return 'platform'
  return STRATEGIES.find((known) => known === strategy) ?? usual ?? USUAL
}
