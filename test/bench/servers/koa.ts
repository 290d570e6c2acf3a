/** The ceiling of the stack: the least hub that Koa, @koa/router and ws can make. */
import Router from '@koa/router'
import Koa from 'koa'
import { JSON_TYPE, push, PUSH_PATH, serve } from './least.ts'

const router = new Router()
router.get(PUSH_PATH, async (ctx) => {
  const [target = '', kind = ''] = ctx.captures ?? []
  const body = await push(target, kind, ctx.querystring)
  ctx.set('content-type', JSON_TYPE)
  ctx.body = body
})

const handle = new Koa().use(router.routes()).callback()
serve((request, response) => void handle(request, response))
