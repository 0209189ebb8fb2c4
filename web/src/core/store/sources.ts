// Contacts that the person has brought along, sealed, with what they decided
// about them. Any tab changes it: a change is made of what stands there, and is
// written only if that still stands there.
import type { Bytes } from '../bytes'
import type { Database } from './database'
import { read, result, write } from './idb'
import type { CardItem, DecisionBox, SourceItem, SourceRecord } from './schema'

const place = (k: string): string => `sources/${k}`
/** Cards of one record: each takes a while to seal, whatever it holds. */
const pageSize = 250

/** What is kept, as it stood at one moment. */
export interface Kept {
  readonly list: readonly SourceItem[]
  readonly decisions: DecisionBox
  readonly cards: ReadonlyMap<string, readonly CardItem[]>
}

const undecided: DecisionBox = { apart: [], together: [] }

/** The sources of one person. */
export class SourceStore {
  constructor(private readonly db: Database) {}

  /** Everything, out of one transaction. */
  async all(): Promise<Kept> {
    const records = (await result(read(this.db.idb, 'sources').objectStore('sources').getAll())) as SourceRecord[]
    const boxes = new Map(records.map((r) => [r.k, r.box]))
    const list = await this.opened<readonly SourceItem[]>('list', boxes.get('list'), [])
    const cards = new Map<string, readonly CardItem[]>()
    for (const source of list) cards.set(source.id, await this.pages(source, (k) => boxes.get(k)))
    return { list, decisions: await this.opened('decisions', boxes.get('decisions'), undecided), cards }
  }

  private async pages(source: SourceItem, box: (k: string) => Bytes | undefined): Promise<CardItem[]> {
    const keys = Array.from({ length: source.pages }, (_, n) => `${source.id}/${n}`)
    const pages = await Promise.all(keys.map((k) => this.opened<readonly CardItem[]>(k, box(k), [])))
    return pages.flat()
  }

  private async opened<T>(k: string, box: Bytes | undefined, none: T): Promise<T> {
    return box ? this.db.sealer.open<T>(place(k), box).catch(() => none) : none
  }

  private async sealed(k: string, value: unknown): Promise<SourceRecord> {
    return { k, box: await this.db.sealer.seal(place(k), value) }
  }

  private async box(k: string): Promise<Bytes | undefined> {
    return ((await result(read(this.db.idb, 'sources').objectStore('sources').get(k))) as SourceRecord | undefined)?.box
  }

  // Makes a record of what it holds. Sealing cannot be awaited inside a
  // transaction; so the one that writes compares, and when another tab has
  // written meanwhile everything is made again of what stands there then.
  // `change` gives nothing when there is nothing to change.
  private async remake<T>(k: string, none: T, change: (now: T) => Promise<{ next: T; more?: (store: IDBObjectStore) => void } | undefined>): Promise<T> {
    for (;;) {
      const before = await this.box(k)
      const now = await this.opened(k, before, none)
      const made = await change(now)
      if (!made) return now
      const record = await this.sealed(k, made.next)
      let current = false
      await write(this.db.idb, ['sources'], (tx) => {
        const store = tx.objectStore('sources')
        const stands = store.get(k) as IDBRequest<SourceRecord | undefined>
        stands.onsuccess = () => {
          current = same(stands.result?.box, before)
          if (!current) return
          store.put(record)
          made.more?.(store)
        }
      })
      if (current) return made.next
    }
  }

  /** Changes what the person has decided. */
  decide(change: (now: DecisionBox) => DecisionBox): Promise<DecisionBox> {
    return this.remake('decisions', undecided, async (now) => ({ next: change(now) }))
  }

  /** Changes a source that is still there. */
  change(id: string, change: Partial<SourceItem>): Promise<readonly SourceItem[]> {
    return this.remake<readonly SourceItem[]>('list', [], async (list) =>
      list.some((s) => s.id === id) ? { next: list.map((s) => (s.id === id ? { ...s, ...change } : s)) } : undefined,
    )
  }

  /**
   * Puts cards in the place of those that a source had, and the list with it. `which` finds or makes the source in the list
   * as it stands; without one nothing is changed. `cards` gets the cards that the source has.
   */
  setCards(which: (list: readonly SourceItem[]) => SourceItem | undefined, cards: (had: readonly CardItem[]) => readonly CardItem[]): Promise<readonly SourceItem[]> {
    return this.remake<readonly SourceItem[]>('list', [], async (list) => {
      const source = which(list)
      if (!source) return undefined
      const had = list.find((s) => s.id === source.id)
      const all = cards(had ? await this.held(had) : [])
      const pages: SourceRecord[] = []
      for (let n = 0; n * pageSize < all.length; n++) {
        pages.push(await this.sealed(`${source.id}/${n}`, all.slice(n * pageSize, (n + 1) * pageSize)))
      }
      const kept = { ...source, pages: pages.length, count: all.length }
      return {
        next: had ? list.map((s) => (s.id === source.id ? kept : s)) : [...list, kept],
        more: (store) => {
          store.delete(pagesOf(source.id))
          for (const page of pages) store.put(page)
        },
      }
    })
  }

  private async held(source: SourceItem): Promise<CardItem[]> {
    const records = (await result(read(this.db.idb, 'sources').objectStore('sources').getAll(pagesOf(source.id)))) as SourceRecord[]
    const boxes = new Map(records.map((r) => [r.k, r.box]))
    return this.pages(source, (k) => boxes.get(k))
  }

  /** Removes a source with its cards. */
  remove(id: string): Promise<readonly SourceItem[]> {
    return this.remake<readonly SourceItem[]>('list', [], async (list) => ({
      next: list.filter((s) => s.id !== id),
      more: (store) => void store.delete(pagesOf(id)),
    }))
  }
}

const pagesOf = (id: string): IDBKeyRange => IDBKeyRange.bound(`${id}/`, `${id}0`, false, true)

// Two boxes are never the same unless they are one: each is sealed with a random nonce.
const same = (a: Bytes | undefined, b: Bytes | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.length === b.length && a.every((byte, i) => byte === b[i])
