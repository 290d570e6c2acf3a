/** What a look at a data folder finds to say. */
import type { Mid } from '../../../protocol/states.ts'

export type FindingKind =
  // something that had been kept cannot be read any more
  | 'manifest'
  | 'segment'
  | 'journal'
  | 'documents'
  | 'keys'
  | 'blob'
  // nothing is lost
  | 'torn'
  | 'counts'
  | 'leftover'
  | 'orphan'

const DAMAGE: ReadonlySet<FindingKind> = new Set(['manifest', 'segment', 'journal', 'documents', 'keys', 'blob'])

/** What is gone with it, as far as that can be said. */
export interface Affected {
  /** what is counted: messages, lines, documents, keys */
  readonly of: 'message' | 'line' | 'document' | 'key' | 'blob'
  /** null: nobody knows how many */
  readonly count: number | null
  /** of messages that are named where it is damaged */
  readonly mids: readonly Mid[]
  /** recipients that are named where it is damaged, and ids of documents */
  readonly names: readonly string[]
}

export interface Finding {
  readonly kind: FindingKind
  /** below the data folder */
  readonly file: string
  /** first byte that is wrong; null: somewhere in it, or it is missing */
  readonly offset: number | null
  readonly what: string
  /** null: nothing is lost */
  readonly affected: Affected | null
}

export function isDamage({ kind }: Finding): boolean {
  return DAMAGE.has(kind)
}

/** Mids and recipients in what cannot be read as a whole any more. */
export function namedIn(text: string): Pick<Affected, 'mids' | 'names'> {
  const lists = all(text, /"recipients":\[([^\]]*)\]|\["\d{13}",\[([^\]]*)\]\]/g)
  const names = [...lists.flatMap((list) => all(list, /"([^"]+)"/g)), ...all(text, /"recipient":"([^"]+)"/g)]
  return { mids: all(text, /"mid":"(\d{13})"|\["(\d{13})",\[/g), names: [...new Set(names)] }
}

/** Ids of documents in what cannot be read as a whole any more. */
export function idsIn(text: string): readonly string[] {
  return all(text, /"id":"([^"\\]+)"/g)
}

function all(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map((found) => found[1] ?? found[2] ?? ''))]
}
