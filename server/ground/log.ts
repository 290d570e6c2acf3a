import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Wherever these stand in what is logged, their value is not printed. */
const SECRETS = ['authorization', 'token', 'adminToken', 'password', 'secret', 'auth', 'p256dh', 'url', 'proxy']

/** What JSON leaves as it is and a terminal may obey, or a reader not see: C1 controls, bidi marks, other line ends. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * JSON lines on stdout: `level` as a word, `time` in RFC 3339. Control characters are escaped,
 * secrets are cut by name at the first two levels, and bodies of messages are never logged.
 */
export function createLog(level: LogLevel, stream?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => `${escapeHidden(line.slice(0, -1))}\n` },
      redact: {
        paths: SECRETS.flatMap((key) => (key === 'url' ? [`*.${key}`] : [key, `*.${key}`])),
        censor: '[secret]',
      },
    },
    stream,
  )
}

/** @param json of one line, in which such characters stand in strings only */
export function escapeHidden(json: string): string {
  return json.replaceAll(HIDDEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
