const FIRST_MS = 500
const MAX_MS = 30_000

/**
 * How long to wait after so many failures in a row, in ms: twice as long each time, up to 30 s. Half of it is
 * left to chance, so that the clients of a hub that restarts do not all come back at once.
 * @param random 0 to 1
 */
export function backoffMs(failures: number, random: number): number {
  return Math.round(Math.min(MAX_MS, FIRST_MS * 2 ** failures) * (0.5 + random / 2))
}
