/** The PushServer API: its paths, and who may use them. */
import Router, { type RouterContext } from '@koa/router'
import type Koa from 'koa'
import type { Context } from 'koa'
import type { Caller } from '../../directory/access.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { HttpOptions } from '../door.ts'
import { createGate } from '../gate.ts'
import {
  countNotifications,
  listNotifications,
  readAllNotifications,
  readNotification,
  removeAllNotifications,
  removeNotification,
  showNotification,
} from './notifications.ts'
import { isApiUrl, PREFIX } from './paths.ts'
import { push } from './push.ts'
import { showTask } from './task.ts'

type Handler = (options: HttpOptions, ctx: Context, caller: Caller) => Promise<void>
type HandlerOfOne = (options: HttpOptions, ctx: Context, id: string) => Promise<void>

/** Serves what lies under `/api/v1`, and nothing of it reaches what comes behind. Refusals go to the guard. */
export function addPushServer(app: Koa, options: HttpOptions): void {
  const gate = createGate(options)
  const router = new Router({ prefix: PREFIX, sensitive: true })
  const on = (handler: Handler) => (ctx: RouterContext) => handler(options, ctx, gate(ctx.req))
  const one = (handler: HandlerOfOne) => (ctx: RouterContext) => {
    gate(ctx.req)
    return handler(options, ctx, ctx.params['id'] ?? '')
  }

  router.post('/push', on(push))
  router.get('/task/:id', one(showTask))
  router.get('/notifications', on(listNotifications))
  router.delete('/notifications', on(removeAllNotifications))
  router.get('/notifications/statistics', on(countNotifications))
  router.put('/notifications/read-all', on(readAllNotifications))
  router.get('/notifications/:id', one(showNotification))
  router.delete('/notifications/:id', one(removeNotification))
  router.put('/notifications/:id/read', one(readNotification))

  app.use(router.routes())
  app.use((ctx, next) => {
    if (!isApiUrl(ctx.req.url)) return next()
    gate(ctx.req)
    const methods = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods)
    if (methods.length === 0) throw new Refusal('not-found', '接口不存在')
    const served = new Set([...methods.filter((method) => method !== 'HEAD'), 'OPTIONS'])
    ctx.set('allow', [...served].join(', '))
    throw new Refusal('bad-method')
  })
}
