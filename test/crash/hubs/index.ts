const run = (file: string): readonly string[] => ['--import', 'tsx', new URL(file, import.meta.url).pathname]

/** Hubs other than the built one, by name: what node runs in its place. */
export const hubs: ReadonlyMap<string, readonly string[]> = new Map([
  /** answers 200 ms before it writes: the loop must find out */
  ['hasty', run('./hasty.ts')],
  /** makes a checkpoint of its store every 64 KiB */
  ['restless', run('./restless.ts')],
  /** flushes nothing: a power cut must find out, and a kill cannot */
  ['unflushed', run('./unflushed.ts')],
])
