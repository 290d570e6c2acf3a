/** Runs the command of the user for a message. */
import { spawn } from 'node:child_process'
import type { Message } from '../sdk/index.ts'

/** Linux takes no longer text than 128 KiB in one variable. */
const MOST_BYTES = 100_000

/**
 * Runs it by the shell, the title on its stdin, all of the message in its environment.
 * @param to where goes what it prints; its errors go to stderr
 * @throws Error unless it ended with 0
 */
export function runFor(command: string, message: Message, to: 'stdout' | 'stderr'): Promise<void> {
  const child = spawn(command, {
    shell: true,
    env: { ...process.env, ...environmentOf(message) },
    stdio: ['pipe', to === 'stdout' ? 'inherit' : 2, 'inherit'],
  })
  // a command need not read it
  child.stdin?.on('error', () => {})
  child.stdin?.end(`${message.text}\n`)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`the command ended with ${code ?? signal}`))
    })
  })
}

/** What is too long for a variable is left out rather than cut. */
function environmentOf({ mid, text, desp, from, extra }: Message): NodeJS.ProcessEnv {
  const all = {
    CARILLON_MID: mid,
    CARILLON_TEXT: text,
    CARILLON_DESP: desp,
    CARILLON_FROM: from.name,
    CARILLON_EXTRA: JSON.stringify(extra),
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => {
      const passed = value.replaceAll('\0', '')
      return [name, Buffer.byteLength(passed) > MOST_BYTES ? undefined : passed]
    }),
  )
}
