/** The section `sdk`: the accounts that calls of the multi-platform SDK send from. */
import * as z from 'zod'
import type { Channel } from '../channels/channel.ts'
import type { Reach } from '../channels/reach.ts'
import { calls, recipientOf } from '../protocol/sdk.ts'

export function sdkSchema(channels: ReadonlyMap<string, Channel>) {
  const accounts = calls.flatMap(({ path, section, channel }) => {
    const account = channels.get(channel)?.account
    const meta = { description: `account of \`POST ${path}\``, zh: `\`POST ${path}\` 使用的账户` }
    return account ? [[section, account.optional().meta(meta)] as const] : []
  })
  return z.strictObject(Object.fromEntries(accounts)).prefault({}).meta({
    description: 'accounts of the calls of the multi-platform SDK; a call without one answers code 1',
    zh: '多平台 SDK 接口使用的账户；未配置的接口返回 code 1',
  })
}

/** A built-in recipient for each call that has an account. */
export function sdkReaches(
  channels: ReadonlyMap<string, Channel>,
  accounts: Readonly<Record<string, unknown>>,
): readonly Reach[] {
  return calls.flatMap((call) => {
    const account = accounts[call.section]
    const endpoint = account === undefined ? null : channels.get(call.channel)?.direct(account)
    if (!endpoint) return []
    const platforms = [{ channel: call.channel, endpoints: [endpoint] }]
    return [{ recipient: recipientOf(call), name: call.path, groups: [], platforms, strategy: null, ladder: null }]
  })
}
