import type { Lives } from '../lives.ts'
import type { Book } from './history.ts'
import type { Vendor } from './vendor.ts'

/** What all actors of a run share. */
export interface Stage {
  readonly seed: number
  readonly token: string
  readonly book: Book
  readonly hub: Lives
  readonly vendor: Vendor
  /** nobody pushes anything new */
  calm: boolean
}
