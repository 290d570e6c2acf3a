/** The floor below the stack: the least hub that node:http and ws can make, without Koa. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { JSON_TYPE, push, PUSH_PATH, serve } from './least.ts'

async function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const mark = url.indexOf('?')
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
  const [, target = '', kind = ''] = (method === 'GET' && PUSH_PATH.exec(path)) || []
  const body = target === '' ? 'Not Found' : await push(target, kind, query)
  response.writeHead(target === '' ? 404 : 200, {
    'content-type': target === '' ? 'text/plain' : JSON_TYPE,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

serve((request, response) => void answer(request, response))
