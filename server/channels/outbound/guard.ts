/** Keeps requests to addresses that others wrote out of this machine and its networks. */
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublic } from '../../ground/network.ts'

/** The other side is where no request of others may go. It never will be allowed. */
export class Blocked extends Error {
  override readonly name = 'Blocked'
}

/**
 * A `lookup` for connections: what it hands on is what is connected to, so a name that says something else the
 * next time gains nothing. One address that is not public refuses the name. Literal addresses do not come here.
 */
export function guardedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found, family) => {
      if (error) return callback(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      if (addresses.every(isPublic)) callback(null, found, family)
      else callback(new Blocked(), [])
    })
  }
}
