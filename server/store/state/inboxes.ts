import type { RecipientId } from '../../protocol/address.ts'
import { MidList } from './mid-list.ts'

interface Inbox {
  readonly open: MidList
  bytes: number
}

const NOTHING: Inbox = { open: new MidList(), bytes: 0 }

/** The deliveries that are still owed to each recipient's sessions. */
export class Inboxes {
  readonly #inboxes = new Map<RecipientId, Inbox>()
  /** of all of them */
  readonly total = { count: 0, bytes: 0 }

  /** What waits for a recipient. */
  of(recipient: RecipientId): { readonly open: MidList; readonly bytes: number } {
    return this.#inboxes.get(recipient) ?? NOTHING
  }

  add(recipient: RecipientId, mid: number, size: number): void {
    let inbox = this.#inboxes.get(recipient)
    if (!inbox) {
      inbox = { open: new MidList(), bytes: 0 }
      this.#inboxes.set(recipient, inbox)
    }
    inbox.open.add(mid)
    inbox.bytes += size
    this.total.count += 1
    this.total.bytes += size
  }

  delete(recipient: RecipientId, mid: number, size: number): void {
    const inbox = this.#inboxes.get(recipient)
    if (!inbox?.open.delete(mid)) return
    inbox.bytes -= size
    this.total.count -= 1
    this.total.bytes -= size
  }
}
