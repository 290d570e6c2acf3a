import type { LazyOp, Op, Store, Written } from '../../server/store/store.ts'

export interface Gate {
  readonly store: Store
  /** Writes wait from now on; returns a promise of the first that does. */
  shut(): { readonly reached: Promise<void> }
  open(): void
  /** Writes fail from now on with the error; null: no more. */
  refuse(error: Error | null): void
}

/** A store whose writes a test can hold back or refuse. */
export function gateStore(inner: Store): Gate {
  let reached = () => {}
  let passed: Promise<void> = Promise.resolve()
  let open = () => {}
  let refusal: Error | null = null

  function write(ops: readonly Op[], how: 'sync'): Promise<Written>
  function write(ops: readonly LazyOp[], how: 'lazy'): Promise<Written>
  async function write(...[ops, how]: [readonly Op[], 'sync'] | [readonly LazyOp[], 'lazy']): Promise<Written> {
    reached()
    await passed
    if (refusal) throw refusal
    return how === 'sync' ? inner.write(ops, how) : inner.write(ops, how)
  }

  return {
    store: { ...inner, write },
    shut() {
      passed = new Promise((resolve) => (open = resolve))
      return { reached: new Promise((resolve) => (reached = resolve)) }
    },
    open: () => open(),
    refuse: (error) => void (refusal = error),
  }
}
