/** Where the log goes: the section `log` of PushServer. */
import { basename } from 'node:path'
import * as z from 'zod'

/** They stand beside `file_path`. */
const TAKEN = new Set(['error.log', 'info.log', 'debug.log'])

export const logSchema = z
  .strictObject({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
      description: 'least important level that is printed',
      zh: '输出的最低日志级别',
    }),
    format: z.enum(['json', 'text']).default('json').meta({
      description: 'json: one object a line; text: key=value pairs',
      zh: 'json：每行一个对象；text：key=value 形式',
    }),
    output: z.enum(['stdout', 'file', 'both']).default('stdout').meta({
      description: 'where it goes; a signal HUP opens the files anew',
      zh: '输出方式；收到 HUP 信号会重新打开日志文件',
    }),
    file_path: z
      .string()
      .min(1)
      .refine((path) => !TAKEN.has(basename(path)), {
        error: 'another file name, please: error.log, info.log and debug.log stand beside it',
      })
      .default('log/app.log')
      .meta({
        description:
          'the file, from the working directory; beside it error.log, info.log and debug.log hold what is of that level alone; they are for their owner, and for the group of a folder with mode 2750',
        zh: '日志文件路径（相对于工作目录）；同目录下的 error.log、info.log、debug.log 只含对应级别；仅所有者可读，目录权限为 2750 时其所属组也可读',
      }),
    max_size: z.number().positive().default(100).meta({
      description: 'MB (1,048,576 bytes) that a file grows to before it is put aside as FILE.TIME',
      zh: '单个日志文件的最大大小（MB），超过后改名为 文件名.时间',
    }),
    max_backups: z.int().min(0).default(10).meta({
      description: 'files put aside that are kept, of each kind; 0: no limit',
      zh: '每种日志保留的旧文件数；0 表示不限',
    }),
    max_age: z.number().min(0).default(30).meta({
      description: 'days that files put aside are kept; 0: no limit',
      zh: '旧日志文件的保留天数；0 表示不限',
    }),
    compress: z.boolean().default(true).meta({
      description: 'files put aside are compressed (gzip)',
      zh: '是否压缩旧日志文件（gzip）',
    }),
  })
  .prefault({})
  .meta({ description: 'the log of the hub', zh: '日志' })
