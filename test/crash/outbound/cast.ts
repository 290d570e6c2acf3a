/** Who is pushed to in a run, how each is reached, and the config that says so. */

export type Channel = 'feishu' | 'dingtalk' | 'wechat' | 'webhook'
export type Strategy = 'failover' | 'all' | 'webhook_failover' | 'mixed'

export interface Platform {
  readonly channel: Channel
  /** names, unique over the whole run; they stand in the URL as well */
  readonly endpoints: readonly string[]
}

export interface Target {
  readonly name: string
  /** what its config says; null: nothing */
  readonly strategy: Strategy | null
  readonly platforms: readonly Platform[]
  /** it stands in `webhook.clients`: it is tried without end */
  readonly isClient: boolean
}

/** so many recipients with robots */
const ROBOTS = 40
/** they have a webhook beside their robots */
const MIXED = 2
const CLIENTS = 4
const strategies = ['failover', 'all', 'webhook_failover', 'mixed', null] as const
const orders: readonly (readonly [Channel, ...Channel[]])[] = [
  ['feishu', 'dingtalk', 'wechat'],
  ['dingtalk', 'feishu'],
  ['wechat', 'feishu', 'dingtalk'],
  ['feishu', 'wechat'],
  ['dingtalk', 'wechat', 'feishu'],
  ['wechat', 'dingtalk'],
  ['feishu'],
]

export const MONITOR = 'monitor'
/** rounds after the first, of what has no terms of its own */
export const RETRIES = 2
/** what one attempt may take */
export const TIMEOUT_MS = 2_000
const RETRY_S = 0.2
const CLIENT_RETRY_MS = 200
const WAIT_MS = 100
/** deliveries; little, so that some pushes are refused */
const BUFFER = 150

/** Everyone who can be reached. The strategies and the orders of platforms meet in all combinations. */
export const targets: readonly Target[] = [
  ...Array.from({ length: ROBOTS }, (_, at) => {
    return robots(`r${at}`, strategies[at % strategies.length] ?? null, orders[at % orders.length] ?? ['feishu'])
  }),
  ...Array.from({ length: MIXED }, (_, n) => robots(`x${n}`, null, ['feishu', 'webhook', 'dingtalk'])),
  ...Array.from({ length: CLIENTS }, (_, n) => client(`hook${n}`)),
]

/** Two robots of most platforms, one of some. */
function robots(name: string, strategy: Strategy | null, channels: readonly Channel[]): Target {
  const platforms = channels.map((channel, at) => ({
    channel,
    endpoints: Array.from({ length: (name.length + at) % 3 === 2 ? 1 : 2 }, (_, n) => `${name}-${channel}-${n}`),
  }))
  return { name, strategy, platforms, isClient: false }
}

function client(name: string): Target {
  return { name, strategy: null, platforms: [{ channel: 'webhook', endpoints: [name] }], isClient: true }
}

/** Of each endpoint. */
export const channels: ReadonlyMap<string, Channel> = new Map(
  targets.flatMap(({ platforms }) =>
    platforms.flatMap(({ channel, endpoints }) => endpoints.map((endpoint) => [endpoint, channel] as const)),
  ),
)

/** Where vendors have their robots: the endpoint stands in the place of the secret. */
const paths: Readonly<Record<Channel, string>> = {
  feishu: '/open-apis/bot/v2/hook/',
  dingtalk: '/robot/send?access_token=',
  wechat: '/cgi-bin/webhook/send?key=',
  webhook: '/hook/',
}

/** The endpoint that a request was for: path and query as they came. */
export function endpointOf(url: string): string {
  if (url.startsWith(`/${MONITOR}`)) return MONITOR
  return /(?:\/hook\/|[?&](?:access_token|key)=)([\w-]+)/.exec(url)?.[1] ?? url
}

/** @param vendor `http://127.0.0.1:PORT` */
export function hubConfig(token: string, vendor: string): object {
  const url = (endpoint: string) => `${vendor}${paths[channels.get(endpoint) ?? 'webhook']}${endpoint}`
  const clients = targets
    .filter(({ isClient }) => isClient)
    .map(({ name }, at) => ({
      name,
      url: url(name),
      method: at % 2 === 0 ? 'POST' : 'GET',
      secret: `secret of ${name}`,
    }))
  const recipients = targets
    .filter(({ isClient }) => !isClient)
    .map(({ name, strategy, platforms }) => [
      name,
      {
        ...(strategy === null ? {} : { strategy }),
        platforms: Object.fromEntries(
          platforms.map(({ channel, endpoints }) => [
            channel,
            {
              webhooks: endpoints.map((endpoint) => ({ name: endpoint, url: url(endpoint), secret: `s ${endpoint}` })),
            },
          ]),
        ),
      },
    ])
  return {
    token,
    http: { waitTimeout: WAIT_MS, verifyToken: true },
    queue: { retry_count: RETRIES, retry_delay: RETRY_S, timeout: TIMEOUT_MS / 1_000, buffer_size: BUFFER },
    webhook: { retryTimeout: CLIENT_RETRY_MS, clients },
    system: { notifications: [{ type: 'http', url: `${vendor}/${MONITOR}` }] },
    recipients: Object.fromEntries(recipients),
  }
}
