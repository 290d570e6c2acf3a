/** Who else may read what the program writes for people and tools: the log, notifications. */
import { chmod, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** the setgid bit, and the group may read and enter */
const SHARED = 0o2050
const GROUP_READS = 0o040

/**
 * Files are for their owner alone. Where somebody gave their folder to a group (`chmod 2750`), that group may
 * read a new one, too. A file that belongs to somebody else is left as it is.
 */
export async function shareNew(path: string): Promise<void> {
  const { mode } = await stat(dirname(path))
  if ((mode & SHARED) !== SHARED) return
  const file = await stat(path)
  await chmod(path, (file.mode & 0o777) | GROUP_READS).catch(() => {})
}
