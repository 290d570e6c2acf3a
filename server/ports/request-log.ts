/** A line of the log for each HTTP request but pushes by URL: `server.mode: debug`. */
import type { Clock } from '../ground/clock.ts'
import type { Handle } from './listen.ts'
import type { Log } from '../ground/log.ts'

const PUSH = /\.(send|group)$/
/** Parts of a path that are longer may be the token of a confirm link. */
const LONG_PART = /[^/]{40,}/g

/** Once each request is answered or given up: method, path without query, status, ms. */
export function loggedRequests(handle: Handle, log: Log, clock: Clock): Handle {
  return (request, response) => {
    const path = pathOf(request.url ?? '')
    if (!PUSH.test(path)) {
      const begun = clock.elapsed()
      response.once('close', () => {
        const ms = Math.round(clock.elapsed() - begun)
        log.info({ method: request.method, path, status: response.statusCode, ms }, 'request')
      })
    }
    return handle(request, response)
  }
}

/** A URL that is no path may hold a password, so nothing of it is shown. */
function pathOf(url: string): string {
  const [path = ''] = url.split('?', 1)
  return path.startsWith('/') ? path.replaceAll(LONG_PART, '…') : '…'
}
