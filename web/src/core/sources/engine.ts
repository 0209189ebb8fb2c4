// The device's contacts as they are brought in, switched, removed and decided
// about. It is loaded when there are any, or when the person brings some.
import { effect, untracked } from '@preact/signals'
import { fetchAddressBook, getAddressBooks } from '../../api.gen'
import { current, type Account } from '../account'
import { randomId, utf8 } from '../bytes'
import type { CardItem, SourceItem } from '../store/schema'
import { SourceStore } from '../store/sources'
import { DeviceBook } from './book'
import { link, unlink } from './decide'
import type { Decisions, RecordKey, SourceRecord } from './merge'
import { shrink } from './picture'
export { nameOfFiles } from './name'
export { knownAmong } from './preview'
import { freeName } from './name'
import { mostCards, readContacts, withIds } from './read'
import { deviceBook } from './state'
import type { Parsed } from './vcard'

class Engine {
  private list: SourceItem[] = []
  private readonly cards = new Map<string, readonly CardItem[]>()
  private decisions: Decisions = { apart: [], together: [] }
  private readonly store: SourceStore

  constructor(readonly account: Account) {
    this.store = new SourceStore(account.db)
  }

  async load(): Promise<void> {
    this.list = await this.store.list()
    this.decisions = (await this.store.decisions()) as Decisions
    for (const source of this.list) this.cards.set(source.id, await this.store.cards(source))
    this.tell()
  }

  private tell(): void {
    if (current.peek() === this.account) deviceBook.value = new DeviceBook(this.list, this.cards, this.decisions)
  }

  source(id: string): SourceItem | undefined {
    return this.list.find((s) => s.id === id)
  }

  async take(source: SourceItem, cards: readonly CardItem[]): Promise<void> {
    this.list = await this.store.setCards(this.list, source, cards)
    this.cards.set(source.id, cards)
    this.tell()
  }

  async change(id: string, change: Partial<SourceItem>): Promise<void> {
    this.list = this.list.map((s) => (s.id === id ? { ...s, ...change } : s))
    await this.store.setList(this.list)
    this.tell()
  }

  async remove(id: string): Promise<void> {
    this.list = await this.store.remove(this.list, id)
    this.cards.delete(id)
    this.tell()
  }

  named(kind: SourceItem['kind'], name: string): SourceItem | undefined {
    return this.list.find((s) => s.kind === kind && s.name === name)
  }

  get names(): string[] {
    return this.list.map((s) => s.name)
  }

  get decided(): Decisions {
    return this.decisions
  }

  async decide(next: Decisions): Promise<void> {
    await this.store.setDecisions(next)
    this.decisions = next
    this.tell()
  }
}

let engine: Promise<Engine> | undefined

/** Follows the signed-in person from now on. */
effect(() => {
  const account = current.value
  untracked(() => {
    engine = undefined
    if (account) void opened().catch(() => undefined)
  })
})

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

/**
 * Keeps what was read as a source of its own, under another name where that one is
 * taken; or in the place of a source, whose decisions stay.
 */
export async function takeOver(name: string, parsed: Parsed, replaced?: string): Promise<void> {
  const e = await opened()
  const old = replaced === undefined ? undefined : e.source(replaced)
  const { left: _, ...source } = old ?? fresh('device', freeName(name, e.names))
  await e.take({ ...source, on: true, at: now(), skipped: parsed.broken.length, ...(parsed.left !== undefined && { left: parsed.left }) }, await withIds(parsed.cards, shrink))
}

/** Adds contacts that were picked one by one to the source of that name. */
export async function addPicked(name: string, parsed: Parsed): Promise<void> {
  const e = await opened()
  const source = e.named('device', name) ?? fresh('device', name)
  const before = await new SourceStore(e.account.db).cards(source)
  const added = await withIds(parsed.cards, shrink)
  const ids = new Set(added.map((c) => c.id))
  await e.take({ ...source, on: true, at: now() }, [...before.filter((c) => !ids.has(c.id)), ...added])
}

export const switchSource = async (id: string, on: boolean): Promise<void> => (await opened()).change(id, { on })

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
  const known = e.named('address-book', name)
  const { password: _, ...plain } = known ?? fresh('address-book', name)
  await kept(e, { ...plain, book, user, etag: got.etag, ...(keep && { password }) }, got.cards, got.skipped)
}

/** Reads an address book again; with the kept password unless another is given. Whether anything had changed. */
export async function refreshBook(id: string, password?: string): Promise<boolean> {
  const e = await opened()
  const source = e.source(id)
  const secret = password ?? source?.password
  if (!source?.book || source.user === undefined || secret === undefined) throw new Error('not an address book that can be read again')
  const got = await fetchAddressBook({ book: source.book }, { user: source.user, password: secret, etag: source.etag ?? '' })
  if (got.unchanged) {
    await e.change(id, { at: now() })
    return false
  }
  await kept(e, { ...source, etag: got.etag }, got.cards, got.skipped)
  return true
}

async function kept(e: Engine, source: SourceItem, cards: string, skipped: number): Promise<void> {
  const parsed = await readContacts(utf8(cards))
  await e.take({ ...source, on: true, at: now(), skipped: skipped + parsed.broken.length }, await withIds(parsed.cards, shrink))
}

/** Says that a card is not the person of the others, and gives the way back. */
export async function separate(record: RecordKey, others: readonly RecordKey[]): Promise<() => Promise<void>> {
  const e = await opened()
  const before = e.decided
  await e.decide(unlink(before, record, others))
  return () => e.decide(before)
}

/** Says that two records are one person, and gives the way back. `records` are all that have to do with either. */
export async function join(records: readonly SourceRecord[], a: RecordKey, b: RecordKey): Promise<() => Promise<void>> {
  const e = await opened()
  const before = e.decided
  await e.decide(link(before, records, a, b))
  return () => e.decide(before)
}
