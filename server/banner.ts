/** What a newcomer is told when the hub runs without a config file. */
import type { KeptToken } from './config/token.ts'
import type { RunningServer } from './server.ts'

/** where clients look unless told */
const DEFAULT_URL = 'http://127.0.0.1:9093'

/** @param kept shown in full on the first run only; later it stands in its file */
export function bannerOf({ url, wsUrl }: RunningServer, kept: KeptToken): string {
  const place = url === DEFAULT_URL ? '' : ` --url ${url}`
  const token = kept.isNew ? kept.token : `in ${kept.path}`
  return [
    '',
    `  Carillon listens on ${url}   WebSocket: ${wsUrl}`,
    `  token: ${token}`,
    '',
    '  Listen as "me", in a second terminal:',
    `    npx carillon listen me${place}`,
    '  Push to "me", in a third one:',
    `    curl '${url}/me.send?text=hello'`,
    '  The same with the token, as it is needed where http.verifyToken is on:',
    `    curl -H "authorization: ${kept.isNew ? kept.token : `$(cat ${kept.path})`}" '${url}/me.send?text=hello'`,
    '',
    ...(kept.isNew ? [`  The token is kept in ${kept.path}. It is not shown again.`, ''] : []),
  ].join('\n')
}
