/** The PushServer API: the section `api`. */
import * as z from 'zod'
import { tokenSchema } from './token.ts'

export const apiSchema = z
  .strictObject({
    token: tokenSchema.optional().meta({
      description:
        'the token that callers of `/api/v1` and of the SDK paths must carry in the header `authorization`; without it these are open, unless http.verifyToken is true. The hub token and the admin token are good there, too',
      zh: '调用 `/api/v1` 和 SDK 接口时 `authorization` 头必须携带的 token；不设置则这些接口开放，除非 http.verifyToken 为 true。hub 的 token 与管理员 token 同样有效',
    }),
  })
  .prefault({})
  .meta({ description: 'the API of PushServer and the calls of the SDK', zh: 'PushServer 接口与 SDK 接口' })
