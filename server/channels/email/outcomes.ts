/** What it means how a mail went: reply codes of RFC 5321 section 4.2.1, then the library's own codes. */
import * as z from 'zod'
import type { Outcome } from '../channel.ts'
import type { Sending } from './transports.ts'

const MAX_DETAIL = 200

/** Codes without a reply of the server. All others are worth another try: nobody was there, or went away. */
const WITHOUT_REPLY: Readonly<Record<string, 'failed'>> = {
  EAUTH: 'failed',
  ENOAUTH: 'failed',
  ECONFIG: 'failed',
  EENVELOPE: 'failed',
  EMESSAGE: 'failed',
  ESTREAM: 'failed',
}
/** RFC 5321: 5yz is for good, but for a session that got out of step */
const OUT_OF_STEP = 503

const errorSchema = z.looseObject({
  name: z.string().catch('unknown error'),
  code: z.string().nullable().catch(null),
  originalCode: z.string().nullable().catch(null),
  response: z.string().nullable().catch(null),
  responseCode: z.number().nullable().catch(null),
})
type MailError = z.infer<typeof errorSchema>

/** @param timeoutMs what the mail was given, for the words */
export function outcomeOfMail(sending: Sending, timeoutMs: number): Outcome {
  if (sending.ok) return accepted(sending.info)
  const { left, cut } = sending
  if (cut !== null) {
    const detail = cut === 'time' ? `no answer within ${timeoutMs / 1000} s` : 'the hub stops'
    return { kind: left ? 'unknown' : 'retry', detail }
  }
  const error = readError(sending.error)
  const { code, response, responseCode } = error
  const detail = detailOf(error)
  if (response !== null && responseCode !== null) return { kind: kindOf(responseCode), detail, answer: response }
  if (left) return { kind: 'unknown', detail }
  return { kind: WITHOUT_REPLY[code ?? ''] ?? 'retry', detail }
}

function accepted({ accepted, rejected, rejectedErrors }: Extract<Sending, { ok: true }>['info']): Outcome {
  if (rejected.length === 0) return { kind: 'accepted' }
  const reply = detailOf(readError(rejectedErrors?.[0]))
  return { kind: 'accepted', detail: `${rejected.length} of ${accepted.length + rejected.length} refused: ${reply}` }
}

function kindOf(reply: number): 'failed' | 'retry' {
  return reply >= 500 && reply !== OUT_OF_STEP ? 'failed' : 'retry'
}

/** The name of an error is none of its own properties. */
function readError(error: unknown): MailError {
  return errorSchema.parse({ ...Object(error), name: error instanceof Error ? error.name : undefined })
}

/** The server's words, else a code. Words of the library may hold addresses and hosts, so they stay out. */
function detailOf({ name, code, originalCode, response }: MailError): string {
  if (response === null) return originalCode ?? code ?? name
  return oneLine(code === 'ETLS' ? `no TLS: ${response}` : response)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_DETAIL)
}
