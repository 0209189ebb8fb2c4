// The device's own contacts in memory: found by what one types, and joined with
// the rows of people that the server has sent. Nothing here asks the server.
import type { CardItem, SourceItem } from '../store/schema'
import type { PersonRow } from '../wire'
import { digitsTyped, folded, hasNumber, padOf, wordsOf } from './find'
import { identifiersOf, keyOf, merge, type Decisions, type Merged, type RecordKey, type SourceRecord } from './merge'

/** A card with where it comes from. */
export interface Held {
  readonly source: SourceItem
  readonly card: CardItem
  readonly record: SourceRecord
}

interface Haystack {
  readonly key: RecordKey
  readonly words: readonly string[]
  readonly numbers: readonly string[]
}

/** Somebody whom a search found among the device's contacts, and by what. */
export interface DeviceHit {
  readonly merged: Merged
  readonly matched?: string
}

const mostHits = 50

/** The record of a row that the server has sent. */
export const rowRecord = (row: PersonRow): SourceRecord => ({
  kind: 'directory',
  id: row.id,
  name: row.display_name,
  addresses: [row.address],
  mails: [row.mail ?? '', ...(row.other_mail ?? [])].filter((mail) => mail !== ''),
  title: row.title ?? '',
  department: row.department ?? '',
  photo: row.photo ?? '',
})

const recordOf = (source: SourceItem, card: CardItem): SourceRecord => {
  // Cards of several address books may have one id.
  const id = source.kind === 'device' ? card.id : `${source.id}/${card.id}`
  return { ...card, kind: source.kind, id }
}

/** All contacts of the sources that are on. It never changes; a change makes another one. */
export class DeviceBook {
  private readonly held = new Map<RecordKey, Held>()
  private readonly byIdentifier = new Map<string, RecordKey[]>()
  private readonly joined = new Map<RecordKey, RecordKey[]>()
  private haystack: Haystack[] | undefined

  constructor(
    readonly sources: readonly SourceItem[],
    cards: ReadonlyMap<string, readonly CardItem[]>,
    readonly decisions: Decisions,
  ) {
    for (const source of sources) {
      if (!source.on) continue
      for (const card of cards.get(source.id) ?? []) {
        const record = recordOf(source, card)
        this.held.set(keyOf(record), { source, card, record })
      }
    }
    for (const [key, { record }] of this.held) for (const id of identifiersOf(record)) append(this.byIdentifier, id, key)
    for (const [a, b] of decisions.together) {
      append(this.joined, a, b)
      append(this.joined, b, a)
    }
  }

  get size(): number {
    return this.held.size
  }

  /** A card by its key. */
  card(key: string): Held | undefined {
    return this.held.get(key as RecordKey)
  }

  // Everything that may be joined with these records, they among it.
  private around(records: readonly SourceRecord[], people: readonly PersonRow[]): SourceRecord[] {
    const { known, rows } = lookup(people)
    const all = new Map(records.map((r) => [keyOf(r), r]))
    const waiting = [...all.values()]
    const add = (r: SourceRecord | undefined): void => {
      if (!r || all.has(keyOf(r))) return
      all.set(keyOf(r), r)
      waiting.push(r)
    }
    for (let r = waiting.pop(); r; r = waiting.pop()) {
      for (const other of this.joined.get(keyOf(r)) ?? []) add(this.held.get(other)?.record ?? known.get(other))
      for (const id of identifiersOf(r)) {
        for (const key of this.byIdentifier.get(id) ?? []) add(this.held.get(key)?.record)
        for (const row of rows.get(id) ?? []) add(row)
      }
    }
    return [...all.values()]
  }

  /** The person of a row or a card, with everything that joins them. `people` are the rows that are known. */
  person(record: SourceRecord, people: readonly PersonRow[], also: readonly SourceRecord[] = []): Merged | undefined {
    const key = keyOf(record)
    return merge(this.around([record, ...also], people), this.decisions).find((m) => m.records.includes(key))
  }

  /** Whether cards are joined with a row. `people` are the rows that are known. */
  linked(row: PersonRow, people: readonly PersonRow[]): boolean {
    const record = rowRecord(row)
    const key = keyOf(record)
    if (!this.joined.has(key) && !identifiersOf(record).some((id) => this.byIdentifier.has(id))) return false
    return (this.person(record, people)?.records.length ?? 0) > 1
  }

  /** Whom a search text, or what was typed on a dial pad, finds among the device's contacts. */
  find(query: string, pad: boolean, people: readonly PersonRow[]): DeviceHit[] {
    const typed = digitsTyped(query)
    const wanted = pad ? [] : folded(query).split(/[\s,]+/).filter((w) => w !== '')
    const onPad = pad && /^[2-9]{2,}$/.test(query) ? query : undefined
    const hits: { record: SourceRecord; matched?: string }[] = []
    for (const { key, words, numbers } of this.all()) {
      const record = this.held.get(key)?.record
      if (!record || hits.length >= mostHits) continue
      if (wanted.length > 0 && wanted.every((w) => words.some((h) => h.startsWith(w)))) hits.push({ record })
      else if (onPad !== undefined && padOf(record.name ?? '').some((name) => name.startsWith(onPad))) hits.push({ record })
      else if (typed !== '') {
        const at = numbers.findIndex((n) => hasNumber(n, typed))
        const matched = record.phones?.[at]?.number
        if (matched !== undefined) hits.push({ record, matched })
      }
    }
    const merged = merge(this.around(hits.map((h) => h.record), people), this.decisions)
    return merged.flatMap((m) => {
      const hit = hits.find((h) => m.records.includes(keyOf(h.record)))
      return hit ? [{ merged: m, ...(hit.matched !== undefined && { matched: hit.matched }) }] : []
    })
  }

  private all(): Haystack[] {
    return (this.haystack ??= [...this.held].map(([key, { record, card }]) => ({
      key,
      words: [...wordsOf(record.name ?? ''), ...wordsOf(card.nick ?? ''), ...wordsOf(record.company ?? ''), ...(record.mails ?? []).flatMap((m) => [folded(m), ...wordsOf(m.split('@', 1)[0] ?? '')])],
      numbers: (record.phones ?? []).map((p) => p.number),
    })))
  }
}

interface Lookup {
  readonly known: ReadonlyMap<RecordKey, SourceRecord>
  readonly rows: ReadonlyMap<string, readonly SourceRecord[]>
}

// A list asks for each of its rows; what is known stays the same meanwhile.
const lookups = new WeakMap<readonly PersonRow[], Lookup>()

function lookup(people: readonly PersonRow[]): Lookup {
  const made = lookups.get(people)
  if (made) return made
  const known = new Map<RecordKey, SourceRecord>()
  const rows = new Map<string, SourceRecord[]>()
  for (const record of people.map(rowRecord)) {
    known.set(keyOf(record), record)
    for (const id of identifiersOf(record)) append(rows, id, record)
  }
  lookups.set(people, { known, rows })
  return { known, rows }
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
