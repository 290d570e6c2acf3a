import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Wherever these stand in what is logged, their value is not printed. */
const SECRETS = ['authorization', 'token', 'adminToken', 'password', 'secret', 'auth', 'p256dh', 'url', 'proxy']

/**
 * JSON lines on stdout: `level` as a word, `time` in RFC 3339. Control characters are escaped by JSON,
 * secrets are cut by name at the first two levels, and bodies of messages are never logged.
 */
export function createLog(level: LogLevel, stream?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRETS.flatMap((key) => (key === 'url' ? [`*.${key}`] : [key, `*.${key}`])),
        censor: '[secret]',
      },
    },
    stream,
  )
}
