/** The words of a message: from the command line, or from stdin. */
import { BadArguments } from '../../server/cli/arguments.ts'

/** More than any hub takes in one message. */
const MOST_BYTES = 16 * 1024 * 1024

export interface Text {
  readonly text: string
  readonly desp: string | undefined
}

/**
 * @param text `-` and undefined: what stdin holds
 * @throws BadArguments
 */
export async function textOf(text: string | undefined, desp: string | undefined): Promise<Text> {
  if (text !== undefined && text !== '-') return { text, desp }
  if (text === undefined && process.stdin.isTTY) {
    if (desp !== undefined) return { text: '', desp }
    throw new BadArguments('send needs TEXT, or something on stdin')
  }
  const piped = (await allOf(process.stdin)).replace(/(\r?\n)+$/, '')
  return desp === undefined ? titleAndBody(piped) : { text: piped, desp }
}

function titleAndBody(piped: string): Text {
  const [text = '', ...more] = piped.split('\n')
  return { text: text.replace(/\r$/, ''), desp: more.length === 0 ? undefined : more.join('\n') }
}

async function allOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new BadArguments('stdin holds more than a message can')
  }
  return Buffer.concat(chunks).toString()
}
