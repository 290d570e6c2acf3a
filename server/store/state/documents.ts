import type { Document, Kind, Page } from '../store.ts'

interface Stored {
  readonly value: unknown
  readonly rev: number
}

/** Documents by kind and id. A put or delete counts only if it is younger than what is there. */
export class Documents {
  readonly #kinds = new Map<Kind, Map<string, Stored>>()
  /** ids in order, until one comes or goes */
  readonly #sorted = new Map<Kind, readonly string[]>()
  /** the youngest there has been */
  rev = 0

  get<T>(kind: Kind, id: string): Document<T> | null {
    const found = this.#kinds.get(kind)?.get(id)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type is the promise of who put it
    return found ? { id, value: found.value as T, rev: found.rev } : null
  }

  put(kind: Kind, id: string, value: unknown, rev: number): boolean {
    const documents = this.#kindOf(kind)
    const known = documents.get(id)
    this.rev = Math.max(this.rev, rev)
    if (known && known.rev >= rev) return false
    documents.set(id, { value, rev })
    if (!known) this.#sorted.delete(kind)
    return true
  }

  delete(kind: Kind, id: string, rev: number): boolean {
    const documents = this.#kindOf(kind)
    const known = documents.get(id)
    this.rev = Math.max(this.rev, rev)
    if (!known || known.rev >= rev) return false
    documents.delete(id)
    this.#sorted.delete(kind)
    return true
  }

  scan<T>(
    kind: Kind,
    { prefix = '', after, limit }: { prefix?: string; after?: string; limit: number },
  ): Page<Document<T>> {
    const ids = this.#idsOf(kind)
    const items: Document<T>[] = []
    for (let at = firstAfter(ids, prefix, after); at < ids.length; at += 1) {
      const id = ids[at] ?? ''
      if (!id.startsWith(prefix)) break
      const found = this.get<T>(kind, id)
      if (items.length === limit) return { items, next: items.at(-1)?.id ?? null }
      if (found) items.push(found)
    }
    return { items, next: null }
  }

  *all(): Generator<{ kind: Kind; id: string; value: unknown; rev: number }> {
    for (const [kind, documents] of this.#kinds) {
      for (const [id, { value, rev }] of documents) yield { kind, id, value, rev }
    }
  }

  #kindOf(kind: Kind): Map<string, Stored> {
    let documents = this.#kinds.get(kind)
    if (!documents) {
      documents = new Map()
      this.#kinds.set(kind, documents)
    }
    return documents
  }

  #idsOf(kind: Kind): readonly string[] {
    let ids = this.#sorted.get(kind)
    if (!ids) {
      ids = [...this.#kindOf(kind).keys()].toSorted()
      this.#sorted.set(kind, ids)
    }
    return ids
  }
}

/** The place of the first id that is at least `prefix` and above `after`. */
function firstAfter(ids: readonly string[], prefix: string, after: string | undefined): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const id = ids[middle] ?? ''
    if (id < prefix || (after !== undefined && id <= after)) low = middle + 1
    else high = middle
  }
  return low
}
