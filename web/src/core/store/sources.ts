// Contacts that the person has brought along, sealed, with what they decided
// about them. Any tab writes it; the last write stands.
import type { Database } from './database'
import { read, result, write } from './idb'
import type { CardItem, DecisionBox, SourceItem, SourceRecord } from './schema'

const place = (k: string): string => `sources/${k}`
/** Cards of one record: each takes a while to seal, whatever it holds. */
const pageSize = 250

/** The sources of one person. */
export class SourceStore {
  constructor(private readonly db: Database) {}

  /** Whether there is anything at all; it opens nothing. */
  async any(): Promise<boolean> {
    return (await result(read(this.db.idb, 'sources').objectStore('sources').count())) > 0
  }

  private async get<T>(k: string): Promise<T | undefined> {
    const record = await result(read(this.db.idb, 'sources').objectStore('sources').get(k) as IDBRequest<SourceRecord | undefined>)
    return record && this.db.sealer.open<T>(place(k), record.box).catch(() => undefined)
  }

  private async sealed(k: string, value: unknown): Promise<SourceRecord> {
    return { k, box: await this.db.sealer.seal(place(k), value) }
  }

  async list(): Promise<SourceItem[]> {
    return (await this.get<SourceItem[]>('list')) ?? []
  }

  async decisions(): Promise<DecisionBox> {
    return (await this.get<DecisionBox>('decisions')) ?? { apart: [], together: [] }
  }

  async cards(source: SourceItem): Promise<CardItem[]> {
    const pages = await Promise.all(Array.from({ length: source.pages }, (_, n) => this.get<CardItem[]>(`${source.id}/${n}`)))
    return pages.flatMap((page) => page ?? [])
  }

  async setList(list: readonly SourceItem[]): Promise<void> {
    const record = await this.sealed('list', list)
    await write(this.db.idb, ['sources'], (tx) => tx.objectStore('sources').put(record))
  }

  async setDecisions(decisions: DecisionBox): Promise<void> {
    const record = await this.sealed('decisions', decisions)
    await write(this.db.idb, ['sources'], (tx) => tx.objectStore('sources').put(record))
  }

  /** Puts the cards of a source in the place of those it had; the list with it, in one transaction. */
  async setCards(list: readonly SourceItem[], source: SourceItem, cards: readonly CardItem[]): Promise<SourceItem[]> {
    const pages: SourceRecord[] = []
    for (let n = 0; n * pageSize < cards.length; n++) {
      pages.push(await this.sealed(`${source.id}/${n}`, cards.slice(n * pageSize, (n + 1) * pageSize)))
    }
    const kept = { ...source, pages: pages.length, count: cards.length }
    const next = list.some((s) => s.id === source.id) ? list.map((s) => (s.id === source.id ? kept : s)) : [...list, kept]
    const record = await this.sealed('list', next)
    await write(this.db.idb, ['sources'], (tx) => {
      const store = tx.objectStore('sources')
      store.delete(pagesOf(source.id))
      for (const page of pages) store.put(page)
      store.put(record)
    })
    return next
  }

  /** Removes a source with its cards. */
  async remove(list: readonly SourceItem[], id: string): Promise<SourceItem[]> {
    const next = list.filter((s) => s.id !== id)
    const record = await this.sealed('list', next)
    await write(this.db.idb, ['sources'], (tx) => {
      const store = tx.objectStore('sources')
      store.delete(pagesOf(id))
      store.put(record)
    })
    return next
  }
}

const pagesOf = (id: string): IDBKeyRange => IDBKeyRange.bound(`${id}/`, `${id}0`, false, true)
