// The send queue: messages that the server has not accepted. Any tab may add to
// it, so a message is safe before the owner hears of it. Its order is the order
// of adding, over all tabs.
import type { Database } from './database'
import { read, result, write } from './idb'
import type { QueueBox, QueueRecord } from './schema'

/** A message that waits. */
export interface Queued extends QueueBox {
  n: number
  conversation: string
  at: string
}

const queuePlace = (c: string, at: string): string => `queue/${c}/${at}`

/** The send queue of one person. */
export class Queue {
  constructor(
    private readonly db: Database,
    private readonly damaged: () => void,
  ) {}

  /** Everything that waits, in order. */
  async all(): Promise<Queued[]> {
    const records = await result(read(this.db.idb, 'queue').objectStore('queue').getAll() as IDBRequest<QueueRecord[]>)
    const opened = await Promise.all(records.map((r) => this.open(r)))
    return opened.filter((q) => q !== undefined)
  }

  private async open(record: QueueRecord): Promise<Queued | undefined> {
    try {
      const box = await this.db.sealer.open<QueueBox>(queuePlace(record.c, record.at), record.box)
      return { ...box, n: record.n ?? 0, conversation: record.c, at: record.at }
    } catch {
      this.damaged()
      return undefined
    }
  }

  private async seal(item: Omit<Queued, 'n'>): Promise<QueueRecord> {
    const { conversation: c, at } = item
    const box: QueueBox = { id: item.id, content: item.content, text: item.text }
    if (item.failed !== undefined) box.failed = item.failed
    return { c, at, box: await this.db.sealer.seal(queuePlace(c, at), box) }
  }

  /** Adds a message and takes the draft that it came from, unless it came from elsewhere. Resolves when both are on the disk. */
  async add(item: Omit<Queued, 'n'>, keepDraft = false): Promise<void> {
    const record = await this.seal(item)
    await write(this.db.idb, ['queue', 'drafts'], (tx) => {
      tx.objectStore('queue').add(record)
      if (!keepDraft) tx.objectStore('drafts').delete(item.conversation)
    })
  }

  /** The server will not take it; it stays, marked with the text key of the refusal. */
  async fail(item: Queued, reason: string): Promise<void> {
    await this.replace({ ...item, failed: reason })
  }

  /** A failed message waits again, at its old place. */
  async retry({ failed: _, ...item }: Queued): Promise<void> {
    await this.replace(item)
  }

  private async replace(item: Queued): Promise<void> {
    const record = { ...(await this.seal(item)), n: item.n }
    await write(this.db.idb, ['queue'], (tx) => {
      const store = tx.objectStore('queue')
      const there = store.getKey(item.n)
      // It may have gone meanwhile: accepted through a sync, or discarded in another tab.
      there.onsuccess = () => {
        if (there.result !== undefined) store.put(record)
      }
    })
  }

  /** Removes a message. */
  discard(item: Queued): Promise<void> {
    return write(this.db.idb, ['queue'], (tx) => tx.objectStore('queue').delete(item.n))
  }
}
