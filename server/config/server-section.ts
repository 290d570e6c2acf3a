/** The HTTP server as PushServer describes it: the section `server`. */
import * as z from 'zod'

const DAY_S = 86_400
const MIB = 1024 * 1024
const LEAST_HEADERS = 1_024

export const serverSchema = z
  .strictObject({
    port: z.int().min(0).max(65_535).optional().meta({
      description: 'another name of http.port; an error if both are given and differ. Environment: also SERVER_PORT',
      zh: 'http.port 的别名；两者同时设置且不同则报错。环境变量也可用 SERVER_PORT',
    }),
    host: z.string().min(1).optional().meta({
      description: 'another name of http.host; an error if both are given and differ',
      zh: 'http.host 的别名；两者同时设置且不同则报错',
    }),
    mode: z.enum(['debug', 'release', 'test']).default('release').meta({
      description:
        'debug: every HTTP request but pushes by URL is logged, without its query; release: faults only; test: nothing about requests, faults neither',
      zh: 'debug：记录每个 HTTP 请求（URL 推送除外，不含查询串）；release：只记录故障；test：不记录任何与请求有关的内容',
    }),
    read_timeout: z.number().min(0.1).max(DAY_S).default(30).meta({
      description: 'seconds within which a request must have arrived, its body included; headers within 10 at most',
      zh: '请求（包括请求体）必须在此秒数内到达；请求头最多 10 秒',
    }),
    write_timeout: z.number().min(0.1).max(DAY_S).optional().meta({
      description:
        'seconds from the headers of a request within which its answer must have left, else the connection is cut; without this key: 30, or http.waitTimeout and 5 s where that is longer',
      zh: '从收到请求头起，响应必须在此秒数内发完，否则断开连接；不设置则为 30 秒，http.waitTimeout 加 5 秒更长时取后者',
    }),
    max_header_bytes: z
      .int()
      .min(LEAST_HEADERS)
      .max(16 * MIB)
      .default(16_384)
      .meta({
        description: 'bytes of the headers of a request at most, beside its URL (http.maxUrl)',
        zh: '请求头的最大字节数，不含 URL（http.maxUrl）',
      }),
    dialect: z.enum(['1', '2']).default('2').meta({
      description: 'which version of PushServer `/api/v1` answers like: its texts and forms of ids',
      zh: '`/api/v1` 的响应遵循哪一版 PushServer：提示文本与 ID 格式',
    }),
  })
  .prefault({})
  .meta({
    description: 'the HTTP server; `port` and `host` are older names of http.port and http.host',
    zh: 'HTTP 服务器；`port` 与 `host` 是 http.port 与 http.host 的旧名称',
  })

const SPARE_MS = 5_000
const USUAL_WRITE_MS = 30_000

/** ms within which an answer must have left. @param waitMs that a push may wait for acks */
export function writeTimeoutOf({ write_timeout }: z.infer<typeof serverSchema>, waitMs: number): number {
  return write_timeout === undefined ? Math.max(USUAL_WRITE_MS, waitMs + SPARE_MS) : write_timeout * 1_000
}
