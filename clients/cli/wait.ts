/** Asks again what became of a push, by its idempotency key, until nothing more can happen or the time is over. */
import { randomUUID } from 'node:crypto'
import { setTimeout as later } from 'node:timers/promises'
import { CarillonError, type Receipt } from '../sdk/index.ts'
import { isSettled } from './states.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

type Ask = (key: string, retryForMs: number) => Promise<Receipt>

/** @throws CarillonError when there was no answer at all in that time, or a refusal */
export async function untilSettled(ask: Ask, key: string = randomUUID(), waitMs: number): Promise<Receipt> {
  const until = performance.now() + waitMs
  const left = () => Math.max(0, until - performance.now())
  // the hub holds the first answer while acks may come; a second question is answered at once
  let receipt = await Promise.race([ask(key, waitMs), later(waitMs, null, { ref: false }).then(() => ask(key, 0))])
  for (let pause = FIRST_PAUSE_MS; !isSettled(receipt) && left() > 0; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    await later(Math.min(pause, left()))
    receipt = (await again(ask, key, left())) ?? receipt
  }
  return receipt
}

/** A hub that was reached once may be away for a while: the last answer stands then. */
async function again(ask: Ask, key: string, leftMs: number): Promise<Receipt | null> {
  try {
    return await ask(key, leftMs)
  } catch (error) {
    if (error instanceof CarillonError && error.mayPass) return null
    throw error
  }
}
