import { createHmac } from 'node:crypto'

/** Ways to claim to be somebody with a genuine `auth` and the hub's token at hand, and why each is none. */
export function forgeries(genuine: string, hubToken: string): ReadonlyMap<string, unknown> {
  const [version = '', payload = '', signature = ''] = genuine.split('.')
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hmac = (text: string) => createHmac('sha256', hubToken).update(text).digest('base64url')
  const jwt = (alg: string) => encoded({ alg, typ: 'JWT' })
  const claims = encoded({ name: 'me', group: '', iat: 1 })
  return new Map<string, unknown>([
    ['an object, as mpush believed', { name: 'me', group: '' }],
    ['another name under a genuine signature', `${version}.${encoded(['you@user', 9e15])}.${signature}`],
    ['a longer life under a genuine signature', `${version}.${encoded(['me@user', 9e15])}.${signature}`],
    ['no signature', `${version}.${payload}.`],
    ['no signature and no dot', `${version}.${payload}`],
    ['a signature with the hub token as its key', `${version}.${payload}.${hmac(`${version}.${payload}`)}`],
    ['a signature cut short', genuine.slice(0, -1)],
    ['a signature in upper case', `${version}.${payload}.${signature.toUpperCase()}`],
    ['a signature with another padding', `${genuine}=`],
    ['a JWT without an algorithm', `${jwt('none')}.${claims}.`],
    ['a JWT of the algorithm None', `${jwt('None')}.${claims}.`],
    [
      'a JWT signed with the hub token, as mpush made them',
      `${jwt('HS256')}.${claims}.${hmac(`${jwt('HS256')}.${claims}`)}`,
    ],
    ['another version', `c2.${payload}.${signature}`],
    ['the version of confirm links', `l1.${payload}.${signature}`],
    ['more parts', `${genuine}.x`],
    ['a payload that is no JSON', `${version}.${Buffer.from('x').toString('base64url')}.${signature}`],
    ['a text that is no auth', 'x'],
    ['an array', [genuine]],
    ['a number', 1],
    ['true', true],
  ])
}
