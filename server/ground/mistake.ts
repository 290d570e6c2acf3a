/** What the operator can mend, in words for him: told without a stack. */
export class Mistake extends Error {
  override readonly name: string = 'Mistake'
}
