/**
 * Stands between the store and the file system: tells each step that changes a folder before it happens, can
 * make it fail, and knows what a power cut would leave of the folder: what was flushed, and nothing else.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join, sep } from 'node:path'

export type StepName =
  | 'create'
  | 'write'
  | 'truncate'
  | 'flush'
  | 'flush folder'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'copy'

export interface Step {
  readonly name: StepName
  /** below the folder */
  readonly path: string
}

export interface Disk {
  /** hears of each step before it happens; what it throws the step fails with */
  onStep: (step: Step) => void
  /** hears of each file that is read whole */
  onRead: (path: string) => void
  /** bytes that the system says are left, and all there are; null: as it is */
  space: { readonly free: number; readonly total: number } | null
  /** comes before each step, and before reading: a slow disk. `path` is below the folder */
  pause: (name: StepName | 'read', path: string) => Promise<void>
  /** Copies the folder as `kill -9` leaves it now. */
  copyAfterKill(to: string): void
  /** Copies the folder as a power cut leaves it now, at worst. */
  copyAfterPowerCut(to: string): void
  /** Takes the disk out of between. */
  restore(): void
}

type Callback = (error: Error | null, ...rest: unknown[]) => void
// the patched functions have many overloads; what goes through them is passed on as it came
type Fn = (...args: unknown[]) => unknown

/** An error as the system gives it. */
export function diskError(code: 'ENOSPC' | 'EIO'): Error {
  return Object.assign(new Error(`${code}: said the test`), { code })
}

/** Watches the folder, which need not be there yet. What is in it counts as flushed. */
export async function watchDisk(dir: string): Promise<Disk> {
  /** by path, and by file descriptor: which file it is, whatever it is called */
  const files = new Map<string, object>()
  const handles = new Map<number, { readonly file: object; path: string }>()
  const flushed = new Map<object, Buffer>()
  const folders = new Map<string, Map<string, object | null>>()
  const undo: (() => void)[] = []
  const disk: Disk = {
    onStep: () => {},
    onRead: () => {},
    space: null,
    pause: async () => {},
    copyAfterKill,
    copyAfterPowerCut,
    restore,
  }

  const isMine = (path: unknown): path is string =>
    typeof path === 'string' && (path === dir || path.startsWith(dir + sep))
  const step = async (name: StepName, whole: string) => {
    const path = whole.slice(dir.length + 1)
    await disk.pause(name, path)
    disk.onStep({ name, path })
  }

  function fileAt(path: string): object {
    const file = files.get(path) ?? {}
    files.set(path, file)
    return file
  }

  /** What a flush of the folder makes last: its names, and which file each of them means. */
  function flushFolder(path: string): void {
    const names = new Map<string, object | null>()
    for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
      names.set(entry.name, entry.isDirectory() ? null : fileAt(join(path, entry.name)))
    }
    folders.set(path, names)
  }

  /** One that was removed meanwhile has nothing to last. */
  function flushFile({ file, path }: { readonly file: object; readonly path: string }): void {
    if (fs.existsSync(path)) flushed.set(file, fs.readFileSync(path))
  }

  function flushAll(path: string): void {
    if (!fs.existsSync(path)) return
    flushFolder(path)
    for (const [name, file] of folders.get(path) ?? []) {
      if (file) flushed.set(file, fs.readFileSync(join(path, name)))
      else flushAll(join(path, name))
    }
  }

  function copyAfterKill(to: string): void {
    fs.mkdirSync(to, { recursive: true })
    if (fs.existsSync(dir)) fs.cpSync(dir, to, { recursive: true })
  }

  function copyAfterPowerCut(to: string): void {
    copyFlushed(dir, to)
  }

  function copyFlushed(from: string, to: string): void {
    fs.mkdirSync(to, { recursive: true })
    for (const [name, file] of folders.get(from) ?? []) {
      if (file) fs.writeFileSync(join(to, name), flushed.get(file) ?? '')
      else copyFlushed(join(from, name), join(to, name))
    }
  }

  function restore(): void {
    for (const back of undo) back()
    syncBuiltinESMExports()
  }

  function patch<T extends object, K extends keyof T>(target: T, name: K, wrap: (original: Fn) => Fn): void {
    const original = target[name]
    undo.push(() => void (target[name] = original))
    target[name] = wrap(original as Fn) as T[K]
  }

  patch(fs.promises, 'open', (original) => async (path, flags, ...rest) => {
    if (!isMine(path)) return original(path, flags, ...rest)
    const creates = typeof flags === 'string' && flags.startsWith('w')
    if (creates) await step('create', path)
    const handle = (await original(path, flags, ...rest)) as fs.promises.FileHandle
    const { fd } = handle
    handles.set(fd, { file: creates ? fileAt(path) : {}, path })
    const close = handle.close
    handle.close = () => {
      handles.delete(fd)
      return close.call(handle)
    }
    return handle
  })
  patch(fs.promises, 'rename', (original) => async (from, to) => {
    if (!isMine(from) || !isMine(to)) {
      await original(from, to)
      return
    }
    await step('rename', to)
    await original(from, to)
    files.set(to, fileAt(from))
    files.delete(from)
    for (const handle of handles.values()) if (handle.path === from) handle.path = to
  })
  patch(fs.promises, 'unlink', (original) => async (path) => {
    if (isMine(path)) await step('unlink', path)
    await original(path)
    if (isMine(path)) files.delete(path)
  })
  patch(fs.promises, 'mkdir', (original) => async (path, ...rest) => {
    if (isMine(path)) await step('mkdir', path)
    return original(path, ...rest)
  })
  patch(fs.promises, 'readFile', (original) => async (path, ...rest) => {
    if (isMine(path)) {
      const below = path.slice(dir.length + 1)
      await disk.pause('read', below)
      disk.onRead(below)
    }
    return original(path, ...rest)
  })
  patch(fs.promises, 'copyFile', (original) => async (from, to, ...rest) => {
    if (isMine(to)) await step('copy', to)
    return original(from, to, ...rest)
  })

  patch(fs.promises, 'statfs', (original) => async (path, ...rest) => {
    if (!isMine(path) || disk.space === null) return original(path, ...rest)
    return { bsize: 1, bavail: disk.space.free, blocks: disk.space.total }
  })

  const methods = await handlePrototype()
  patch(
    methods,
    'writeFile',
    (original) =>
      async function (this: fs.promises.FileHandle, ...args) {
        const handle = handles.get(this.fd)
        if (handle) await step('write', handle.path)
        return original.apply(this, args)
      },
  )
  for (const name of ['datasync', 'sync'] as const) {
    patch(
      methods,
      name,
      (original) =>
        async function (this: fs.promises.FileHandle, ...args) {
          const handle = handles.get(this.fd)
          if (!handle) {
            await original.apply(this, args)
            return
          }
          const isFolder = fs.fstatSync(this.fd).isDirectory()
          await step(isFolder ? 'flush folder' : 'flush', handle.path)
          await original.apply(this, args)
          if (isFolder) flushFolder(handle.path)
          else flushFile(handle)
        },
    )
  }
  for (const [name, word] of [
    ['write', 'write'],
    ['fdatasync', 'flush'],
    ['ftruncate', 'truncate'],
  ] as const) {
    patch(fs, name, (original) => (fd, ...args) => {
      const handle = typeof fd === 'number' ? handles.get(fd) : undefined
      if (!handle) return original(fd, ...args)
      const done = args.pop() as Callback
      const onDone = (error: Error | null, ...rest: unknown[]) => {
        if (!error && word === 'flush') flushFile(handle)
        done(error, ...rest)
      }
      return step(word, handle.path).then(() => original(fd, ...args, onDone), onDone)
    })
  }
  syncBuiltinESMExports()
  flushAll(dir)
  return disk
}

/** FileHandle is not exported: its methods are reached through one. */
async function handlePrototype(): Promise<fs.promises.FileHandle> {
  const handle = await fs.promises.open(process.execPath, 'r')
  await handle.close()
  return Object.getPrototypeOf(handle) as fs.promises.FileHandle
}
