import type { ReadConfig } from '../../config.ts'
import { isWeak, MIN_TOKEN } from '../../config/warnings.ts'
import { type Finding, ok, warning } from './finding.ts'

/** How hard the tokens are to guess. The hub's own warnings keep quiet on loopback; somebody who asks is told. */
export function tokens({ config, kept }: Pick<ReadConfig, 'config' | 'kept'>): readonly Finding[] {
  if (config.token === '') return [ok('token', 'a random one is made at the first start')]
  if (kept) return [ok('token', `a random one, kept in ${kept.path}`)]
  const named = Object.entries({ token: config.token, adminToken: config.adminToken, 'api.token': config.api.token })
  return named
    .filter(([, token]) => token !== undefined)
    .map(([key, token]) =>
      isWeak(token)
        ? warning(key, `can be guessed: use ${MIN_TOKEN} random characters or more`)
        : ok(key, 'long enough'),
    )
}
