/** One system call of a trace by `strace -f -y -o FILE`. Times are places in the file. */
export interface Call {
  readonly name: string
  /** what its first argument, a descriptor, leads to: a path, or `socket:[123]` */
  readonly file: string
  readonly args: string
  readonly begins: number
  readonly ends: number
  readonly result: number
}

const WHOLE = /^(\d+) +(\w+)\(\d+<(.*?)>(.*)\) += (-?\d+)/
const BEGUN = /^(\d+) +(\w+)\(\d+<(.*?)>(.*) <unfinished \.\.\.>$/
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>.*\) += (-?\d+)/

/** Reads a trace; calls that another thread interrupted in the file are put together again. */
export function readTrace(trace: string): readonly Call[] {
  const calls: Call[] = []
  const begun = new Map<string, Omit<Call, 'ends' | 'result'>>()
  for (const [at, line] of trace.split('\n').entries()) {
    const whole = WHOLE.exec(line)
    const first = BEGUN.exec(line)
    const second = RESUMED.exec(line)
    if (whole) {
      const [, , name = '', file = '', args = '', result] = whole
      calls.push({ name, file, args, begins: at, ends: at, result: Number(result) })
    } else if (first) {
      const [, thread = '', name = '', file = '', args = ''] = first
      begun.set(thread, { name, file, args, begins: at })
    } else if (second) {
      const [, thread = '', , result] = second
      const call = begun.get(thread)
      if (call) calls.push({ ...call, ends: at, result: Number(result) })
      begun.delete(thread)
    }
  }
  return calls.toSorted((a, b) => a.begins - b.begins)
}
