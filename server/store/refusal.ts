import { Refusal } from '../protocol/errors.ts'
import { StoreBusy, StoreFailed, StoreFull } from './store.ts'

/** What a caller is told of an error: a refusal as it is, the store's troubles by name, else null. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error
  if (error instanceof StoreFull) return new Refusal('store-full')
  if (error instanceof StoreBusy) return new Refusal('store-busy')
  if (error instanceof StoreFailed) return new Refusal('store-failed')
  return null
}
