// The device's contacts as they are brought in, switched, removed and decided
// about. It is loaded when there are any, or when the person brings some.
import { effect, untracked } from '@preact/signals'
import { fetchAddressBook, getAddressBooks, type FetchedAddressBook } from '../../api.gen'
import { current, type Account } from '../account'
import { randomId, utf8 } from '../bytes'
import type { CardItem, SourceItem } from '../store/schema'
import { SourceStore, type Kept } from '../store/sources'
import type { News } from '../tabs/messages'
import { DeviceBook } from './book'
import { link, undecided, undo, unlink } from './decide'
import type { Decisions, RecordKey, SourceRecord } from './merge'
import { shrink } from './picture'
export { nameOfFiles } from './name'
export { knownAmong } from './preview'
import { freeName } from './name'
import { mostCards, readContacts, withIds } from './read'
import { deviceBook } from './state'
import type { Parsed } from './vcard'

class Engine {
  private kept: Kept = { list: [], decisions: undecided, cards: new Map() }
  private readonly store: SourceStore
  /** One thing after another: nothing older is shown after something newer. */
  private line: Promise<unknown> = Promise.resolve()

  constructor(readonly account: Account) {
    this.store = new SourceStore(account.db)
  }

  /** Reads what stands in the store. */
  load(): Promise<void> {
    return this.inTurn(async () => this.show(await this.store.all()))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.line.then(work)
    this.line = done.catch(() => undefined)
    return done
  }

  private show(kept: Kept): void {
    this.kept = kept
    if (current.peek() === this.account) deviceBook.value = new DeviceBook(kept.list, kept.cards, kept.decisions as Decisions)
  }

  // Does something in the store, shows what is there then, and lets the other tabs look. What another tab has changed
  // meanwhile and `work` does not give comes when that tab says so.
  private change(work: () => Promise<Partial<Kept>>): Promise<void> {
    return this.inTurn(async () => {
      this.show({ ...this.kept, ...(await work()) })
      this.account.hub.command({ do: 'sources', by }).catch(() => undefined)
    })
  }

  source(id: string): SourceItem | undefined {
    return this.kept.list.find((s) => s.id === id)
  }

  /** Puts cards in the place of those of a source: `which` finds or makes it in the list as it stands. */
  async take(which: (list: readonly SourceItem[]) => SourceItem | undefined, cards: (had: readonly CardItem[]) => readonly CardItem[]): Promise<void> {
    await this.change(async () => {
      await this.store.setCards(which, cards)
      return this.store.all()
    })
  }

  async alter(id: string, change: Partial<SourceItem>): Promise<void> {
    await this.change(async () => ({ list: await this.store.change(id, change) }))
  }

  async remove(id: string): Promise<void> {
    await this.change(async () => ({ list: await this.store.remove(id) }))
  }

  /** Decides, and gives the way back. */
  async decide(decision: (now: Decisions) => Decisions): Promise<() => Promise<void>> {
    let before = undecided
    let after = undecided
    await this.change(async () => {
      const decisions = await this.store.decide((now) => (after = decision((before = now as Decisions))))
      return { decisions }
    })
    return async () => void (await this.decide(undo(before, after)))
  }
}

let engine: Promise<Engine> | undefined
/** This tab, in what it tells the others. */
const by = randomId()

/** Follows the signed-in person from now on, and what other tabs change. */
effect(() => {
  const account = current.value
  untracked(() => {
    engine = undefined
    if (!account) return
    account.hear.add((news) => heard(account, news))
    void opened().catch(() => undefined)
  })
})

function heard(account: Account, news: News): void {
  if (news.news !== 'sources' || news.by === by || current.peek() !== account) return
  void opened().then((e) => e.load()).catch(() => undefined)
}

/** The engine of the signed-in person, its contacts read. */
function opened(): Promise<Engine> {
  const account = current.peek()
  if (!account) return Promise.reject(new Error('nobody is signed in'))
  if (!engine) {
    const made = new Engine(account)
    engine = made.load().then(() => made)
  }
  return engine
}

const fresh = (kind: SourceItem['kind'], name: string): SourceItem => ({ id: randomId(), kind, name, on: true, pages: 0, count: 0, skipped: 0, at: '' })

const now = (): string => new Date().toISOString()

/** Resolves when what is kept on this device has been read. */
export const ready = async (): Promise<void> => void (await opened())

/** Reads files without keeping anything; together they are one source, and have its limit. */
export async function preview(files: readonly Blob[], told: (count: number) => void): Promise<Parsed> {
  const cards: Parsed['cards'][number][] = []
  const broken: number[] = []
  let left = 0
  for (const file of files) {
    const parsed = await readContacts(new Uint8Array(await file.arrayBuffer()), (n) => told(cards.length + n), mostCards - cards.length)
    cards.push(...parsed.cards)
    broken.push(...parsed.broken)
    left += parsed.left ?? 0
  }
  return { cards, broken, ...(left > 0 && { left }) }
}

// A source of a name and kind: the one there is, or a new one.
const named = (kind: SourceItem['kind'], name: string) => (list: readonly SourceItem[]): SourceItem =>
  list.find((s) => s.kind === kind && s.name === name) ?? fresh(kind, name)

/**
 * Keeps what was read as a source of its own, under another name where that one is
 * taken; or in the place of a source, whose decisions stay.
 */
export async function takeOver(name: string, parsed: Parsed, replaced?: string): Promise<void> {
  const cards = await withIds(parsed.cards, shrink)
  await (await opened()).take((list) => {
    const { left: _, ...source } = list.find((s) => s.id === replaced) ?? fresh('device', freeName(name, list.map((s) => s.name)))
    return { ...source, on: true, at: now(), skipped: parsed.broken.length, ...(parsed.left !== undefined && { left: parsed.left }) }
  }, () => cards)
}

/** Adds contacts that were picked one by one to the source of that name. */
export async function addPicked(name: string, parsed: Parsed): Promise<void> {
  const added = await withIds(parsed.cards, shrink)
  const ids = new Set(added.map((c) => c.id))
  const source = named('device', name)
  await (await opened()).take((list) => ({ ...source(list), on: true, at: now() }), (had) => [...had.filter((c) => !ids.has(c.id)), ...added])
}

export const switchSource = async (id: string, on: boolean): Promise<void> => (await opened()).alter(id, { on })

export const removeSource = async (id: string): Promise<void> => (await opened()).remove(id)

/** The address books that the operator has configured. */
export const addressBooks = async (signal?: AbortSignal) => (await getAddressBooks(signal)).books

/** How somebody signs in to their address book. */
export interface BookLogin {
  readonly book: string
  readonly name: string
  readonly user: string
  readonly password: string
  /** Keep the password on this device, sealed, to read the address book again. */
  readonly keep: boolean
}

/** Reads an address book and keeps its cards on this device. Rejects with an ApiError. */
export async function connectBook({ book, name, user, password, keep }: BookLogin): Promise<void> {
  const e = await opened()
  const got = await fetchAddressBook({ book }, { user, password })
  const source = named('address-book', name)
  await kept(e, got, (list) => {
    const { password: _, ...plain } = source(list)
    return { ...plain, book, user, etag: got.etag, ...(keep && { password }) }
  })
}

/** Reads an address book again; with the kept password unless another is given. Whether anything had changed. */
export async function refreshBook(id: string, password?: string): Promise<boolean> {
  const e = await opened()
  const source = e.source(id)
  const secret = password ?? source?.password
  if (!source?.book || source.user === undefined || secret === undefined) throw new Error('not an address book that can be read again')
  const got = await fetchAddressBook({ book: source.book }, { user: source.user, password: secret, etag: source.etag ?? '' })
  if (got.unchanged) {
    await e.alter(id, { at: now() })
    return false
  }
  // Removed in another tab meanwhile, it stays removed.
  await kept(e, got, (list) => {
    const known = list.find((s) => s.id === id)
    return known && { ...known, etag: got.etag }
  })
  return true
}

async function kept(e: Engine, got: FetchedAddressBook, which: (list: readonly SourceItem[]) => SourceItem | undefined): Promise<void> {
  const parsed = await readContacts(utf8(got.cards))
  const cards = await withIds(parsed.cards, shrink)
  const skipped = got.skipped + parsed.broken.length
  await e.take((list) => {
    const source = which(list)
    return source && { ...source, on: true, at: now(), skipped }
  }, () => cards)
}

/** Says that a card is not the person of the others, and gives the way back. */
export const separate = async (record: RecordKey, others: readonly RecordKey[]): Promise<() => Promise<void>> =>
  (await opened()).decide((now) => unlink(now, record, others))

/** Says that two records are one person, and gives the way back. `records` are all that have to do with either. */
export const join = async (records: readonly SourceRecord[], a: RecordKey, b: RecordKey): Promise<() => Promise<void>> =>
  (await opened()).decide((now) => link(now, records, a, b))
