// Drafts, and whatever is kept to be shown without the network: people, the
// contact list. Any tab writes it; the last write stands.
import type { Database } from './database'
import { read, result, write } from './idb'
import type { DraftRecord, ShelfRecord } from './schema'

const draftPlace = (c: string): string => `drafts/${c}`
const shelfPlace = (h: string): string => `shelf/${h}`

/** The shelf of one person. */
export class Shelf {
  constructor(private readonly db: Database) {}

  /** The unsent text of a conversation; empty when there is none or it does not open. */
  async draft(conversation: string): Promise<string> {
    const store = read(this.db.idb, 'drafts').objectStore('drafts')
    const record = await result(store.get(conversation) as IDBRequest<DraftRecord | undefined>)
    return record ? this.db.sealer.open<string>(draftPlace(conversation), record.box).catch(() => '') : ''
  }

  /** Conversations that have a draft. */
  async drafts(): Promise<string[]> {
    return (await result(read(this.db.idb, 'drafts').objectStore('drafts').getAllKeys())) as string[]
  }

  async setDraft(conversation: string, text: string): Promise<void> {
    const box = text === '' ? undefined : await this.db.sealer.seal(draftPlace(conversation), text)
    await write(this.db.idb, ['drafts'], (tx) => {
      const store = tx.objectStore('drafts')
      if (box) store.put({ c: conversation, box } satisfies DraftRecord)
      else store.delete(conversation)
    })
  }

  /** What was put under a name; undefined when there is nothing that opens. */
  async get<T>(name: string): Promise<T | undefined> {
    const h = await this.db.sealer.hash('shelf', name)
    const store = read(this.db.idb, 'shelf').objectStore('shelf')
    const record = await result(store.get(h) as IDBRequest<ShelfRecord | undefined>)
    return record && this.db.sealer.open<T>(shelfPlace(h), record.box).catch(() => undefined)
  }

  async put(entries: ReadonlyMap<string, unknown>): Promise<void> {
    const records = await Promise.all(
      [...entries].map(async ([name, value]): Promise<ShelfRecord> => {
        const h = await this.db.sealer.hash('shelf', name)
        return { h, box: await this.db.sealer.seal(shelfPlace(h), value) }
      }),
    )
    await write(this.db.idb, ['shelf'], (tx) => {
      for (const r of records) tx.objectStore('shelf').put(r)
    })
  }
}
