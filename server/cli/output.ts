/** Results on stdout, prose on stderr. */

/** Prints a line, or several. Resolves when it is written: what nobody could read was not printed. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()))
  })
}

/** One value as one line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value))
}

/** A line of prose. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** What somebody else wrote, in one line and without anything that a terminal obeys. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
