/** What an operator should know about a config that is valid but weak. */
import { isIP } from 'node:net'
import type { Config } from '../config.ts'
import { writeTimeoutOf } from './server-section.ts'

export const MIN_TOKEN = 16

/** One line each, naming the key. Nothing is said of weakness where only this machine can reach the hub. */
export function warningsOf(config: Config): readonly string[] {
  const { token, adminToken, http, websocket, webpush, server, api, smtp_relay, trustProxy } = config
  const notices = [
    webpush.serverKey && 'webpush.serverKey is ignored: the hub makes its own VAPID keys, clients get them at AUTH',
    writeTimeoutOf(server, http.waitTimeout) <= http.waitTimeout &&
      'server.write_timeout is not longer than http.waitTimeout: a push that waits that long is cut off unanswered',
    smtp_relay.enabled &&
      'smtp_relay.enabled is true, but this version does not relay mail: nothing listens on its port',
  ].filter(isLine)
  // a trusted proxy says that others come through it
  if (isLoopback(http.host) && trustProxy.length === 0) return notices
  const weak = [
    isWeak(token) && `token is weak: anyone who can reach this hub may guess it; use ${MIN_TOKEN} characters or more`,
    isWeak(adminToken) && `adminToken is weak: use ${MIN_TOKEN} characters or more`,
    !http.verifyToken && 'http.verifyToken is false: anyone who can reach this hub may push',
    !http.verifyToken &&
      api.token === undefined &&
      'api.token is not set: anyone who can reach this hub may use /api/v1, to push and to read and delete notifications',
    isWeak(api.token) && `api.token is weak: use ${MIN_TOKEN} characters or more`,
    !websocket.verifyToken &&
      "websocket.verifyToken is false: anyone who can reach this hub may read any name's messages",
  ]
  return [...notices, ...weak.filter(isLine)]
}

function isLine(line: string | false | undefined): line is string {
  return typeof line === 'string' && line !== ''
}

export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** One that is empty is not made yet. */
export function isWeak(token: string | undefined): boolean {
  return token !== undefined && token !== '' && (token.length < MIN_TOKEN || token === 'test')
}
