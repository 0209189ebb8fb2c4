// Which records are about the same person, and what they say together: the twin
// of contact.Merge, held to it by contact/testdata/merge. Rules are explained
// there; where the two differ, that one is right.
import { identifier } from './identifier'
import { compareText, formOf, sameNumber, spaced, textKey, type NumberForm } from './mergetext'

export type SourceKind = 'directory' | 'contacts' | 'device' | 'address-book'
/** Sources in the order in which they are believed. */
const kinds: readonly SourceKind[] = ['directory', 'contacts', 'device', 'address-book']

/** Names a record for good: its kind, a colon, its id. */
export type RecordKey = `${SourceKind}:${string}`

export interface RecordPhone {
  readonly kind: string
  readonly number: string
  /** E.164, where the source knows it. */
  readonly dial?: string
}

/** What one source says about somebody. */
export interface SourceRecord {
  readonly kind: SourceKind
  readonly id: string
  readonly name?: string
  /** Sign-in and SIP addresses, the own sign-in address first. */
  readonly addresses?: readonly string[]
  /** The primary one first. */
  readonly mails?: readonly string[]
  readonly phones?: readonly RecordPhone[]
  readonly title?: string
  readonly department?: string
  readonly company?: string
  readonly office?: string
  /** What finds the picture. */
  readonly photo?: string
}

export type Pair = readonly [RecordKey, RecordKey]

/** What a person has decided about records, be they there at the moment or not. */
export interface Decisions {
  readonly apart: readonly Pair[]
  readonly together: readonly Pair[]
}

export interface Value {
  readonly text: string
  readonly sources: readonly RecordKey[]
}

export interface Single extends Value {
  /** What sources that are believed less say instead. */
  readonly others: readonly Value[]
}

export interface MergedPhone extends Value {
  readonly kind: string
  readonly dial: string
}

/** A record that has an address of further people of the directory than the one that it was joined to, if any. */
export interface Contest {
  readonly record: RecordKey
  readonly with: readonly RecordKey[]
}

/** One person, out of everything that the sources say. */
export interface Merged {
  readonly records: readonly RecordKey[]
  readonly name: Single
  readonly title: Single
  readonly department: Single
  readonly company: Single
  readonly office: Single
  readonly photo: Value
  readonly addresses: readonly Value[]
  readonly mails: readonly Value[]
  readonly phones: readonly MergedPhone[]
  readonly contested: readonly Contest[]
}

export const keyOf = (record: SourceRecord): RecordKey => `${record.kind}:${record.id}`

/** All addresses of a record in the form for comparing, sorted, each once. */
export const identifiersOf = (record: SourceRecord): string[] =>
  [...new Set([...(record.addresses ?? []), ...(record.mails ?? [])].map(identifier))].filter((id) => id !== '').sort(compareText)

/** Joins the records that are about the same person. Their order means nothing. */
export function merge(records: readonly SourceRecord[], decisions: Decisions): Merged[] {
  return new Joining(records, decisions).people()
}

class Joining {
  private readonly nodes: SourceRecord[]
  private readonly keys: RecordKey[]
  private readonly first = new Map<RecordKey, number>()
  private readonly identifiers: string[][]
  private readonly holders = new Map<string, number[]>()
  private readonly root: number[]
  private readonly members: number[][]
  private readonly anchor: (RecordKey | undefined)[]
  private readonly apart = new Map<RecordKey, Set<RecordKey>>()
  private readonly contest = new Map<RecordKey, RecordKey[]>()
  // Cards of several people, which nobody has joined to one of them.
  private readonly torn = new Set<RecordKey>()

  constructor(
    records: readonly SourceRecord[],
    private readonly decisions: Decisions,
  ) {
    this.nodes = [...records].sort(compareRecords)
    this.keys = this.nodes.map(keyOf)
    this.identifiers = this.nodes.map(identifiersOf)
    this.root = this.nodes.map((_, i) => i)
    this.members = this.nodes.map((_, i) => [i])
    this.anchor = this.nodes.map((r, i) => (r.kind === 'directory' ? this.keys[i] : undefined))
    for (const [i, key] of this.keys.entries()) {
      if (!this.first.has(key)) this.first.set(key, i)
      for (const id of this.identifiers[i] ?? []) append(this.holders, id, i)
    }
    for (const [a, b] of decisions.apart) {
      if (a === b) continue
      this.keepApart(a, b)
      this.keepApart(b, a)
    }
  }

  people(): Merged[] {
    this.joinSame()
    this.joinDecided()
    this.joinNamed()
    this.joinDirectory(true)
    this.joinDirectory(false)
    this.joinOthers()
    const groups = this.members.filter((group, i) => this.root[i] === i && group.length > 0).map((group) => [...group].sort((a, b) => a - b))
    return groups.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)).map((group) => this.person(group))
  }

  private keepApart(a: RecordKey, b: RecordKey): void {
    const known = this.apart.get(a)
    if (known) known.add(b)
    else this.apart.set(a, new Set([b]))
  }

  private joinSame(): void {
    for (const [i, key] of this.keys.entries()) {
      this.union(this.first.get(key) ?? i, i)
      const node = this.nodes[i]
      const person = node?.kind === 'contacts' ? this.first.get(`directory:${node.id}`) : undefined
      if (person !== undefined) this.union(person, i)
    }
  }

  private joinDecided(): void {
    const pairs: [number, number][] = []
    for (const [x, y] of this.decisions.together) {
      if (this.apart.get(x)?.has(y)) continue
      const a = this.first.get(x)
      const b = this.first.get(y)
      if (a !== undefined && b !== undefined) pairs.push([Math.min(a, b), Math.max(a, b)])
    }
    for (const [a, b] of pairs.sort((p, q) => p[0] - q[0] || p[1] - q[1])) this.union(a, b)
  }

  private joinNamed(): void {
    const named = new Map<RecordKey, Set<number>>()
    const people = new Map<string, number | undefined>()
    for (const [i, node] of this.nodes.entries()) {
      if (node.kind !== 'device' && node.kind !== 'address-book') continue
      for (const id of this.identifiers[i] ?? []) {
        if (!people.has(id)) people.set(id, this.named(id))
        const person = people.get(id)
        if (person === undefined) continue
        const known = named.get(this.key(i))
        if (known) known.add(person)
        else named.set(this.key(i), new Set([person]))
      }
    }
    for (const [key, of] of named) if (of.size > 1 && this.anchor[this.find(this.first.get(key) ?? 0)] === undefined) this.torn.add(key)
    for (const [i, key] of this.keys.entries()) {
      const [person, another] = named.get(key) ?? []
      if (person !== undefined && another === undefined) this.union(person, i)
    }
  }

  // The one person of the directory whom an address names, if any.
  private named(id: string): number | undefined {
    const has = new Set<number>()
    const signs = new Set<number>()
    for (const holder of this.holders.get(id) ?? []) {
      if (this.nodes[holder]?.kind !== 'directory') continue
      const person = this.first.get(this.key(holder)) ?? holder
      has.add(person)
      if (this.signInOf(holder) === id) signs.add(person)
    }
    const [person, another] = signs.size > 0 ? signs : has
    return another === undefined ? person : undefined
  }

  private joinDirectory(bySignIn: boolean): void {
    for (const [i, node] of this.nodes.entries()) {
      if (node.kind === 'directory') continue
      const people = new Set<number>()
      for (const id of this.identifiers[i] ?? []) {
        for (const holder of this.holders.get(id) ?? []) {
          if (this.nodes[holder]?.kind === 'directory' && (!bySignIn || this.signInOf(holder) === id)) people.add(holder)
        }
      }
      for (const person of [...people].sort((a, b) => a - b)) {
        if ((!this.torn.has(this.key(i)) && this.union(person, i)) || this.anchor[this.find(person)] === this.anchor[this.find(i)]) continue
        const key = this.key(person)
        if (!this.apart.get(key)?.has(this.key(i))) append(this.contest, this.key(i), key)
      }
    }
  }

  private key(i: number): RecordKey {
    return this.keys[i] as RecordKey
  }

  private signInOf(person: number): string {
    return identifier(this.nodes[person]?.addresses?.[0] ?? '')
  }

  private joinOthers(): void {
    for (const id of [...this.holders.keys()].sort(compareText)) {
      const groups: number[] = []
      for (const i of this.holders.get(id) ?? []) {
        if (this.nodes[i]?.kind === 'directory' || this.torn.has(this.key(i))) continue
        if (!groups.some((g) => this.find(g) === this.find(i) || this.union(g, i))) groups.push(i)
      }
    }
  }

  private find(i: number): number {
    let at = i
    for (;;) {
      const up = this.root[at] ?? at
      if (up === at) return at
      this.root[at] = this.root[up] ?? up
      at = up
    }
  }

  private union(x: number, y: number): boolean {
    let a = this.find(x)
    let b = this.find(y)
    if (a === b) return true
    const [one, other] = [this.anchor[a], this.anchor[b]]
    if ((one !== undefined && other !== undefined && one !== other) || this.keptApart(a, b)) return false
    if (this.group(a).length < this.group(b).length) [a, b] = [b, a]
    this.root[b] = a
    this.group(a).push(...this.group(b))
    this.members[b] = []
    this.anchor[a] ??= this.anchor[b]
    return true
  }

  private group(i: number): number[] {
    return this.members[i] ?? []
  }

  private keptApart(a: number, b: number): boolean {
    if (this.apart.size === 0) return false
    const [few, many] = this.group(a).length <= this.group(b).length ? [a, b] : [b, a]
    for (const i of this.group(few)) {
      for (const other of this.apart.get(this.key(i)) ?? []) {
        const at = this.first.get(other)
        if (at !== undefined && this.find(at) === many) return true
      }
    }
    return false
  }

  // --- What a group says

  private person(group: readonly number[]): Merged {
    const nodes = group.map((i) => ({ record: this.nodes[i] as SourceRecord, key: this.key(i) }))
    const records = [...new Set(nodes.map(({ key }) => key))]
    return {
      records,
      name: single(nodes, (r) => r.name),
      title: single(nodes, (r) => r.title),
      department: single(nodes, (r) => r.department),
      company: single(nodes, (r) => r.company),
      office: single(nodes, (r) => r.office),
      photo: photo(nodes),
      addresses: addresses(nodes, (r) => r.addresses),
      mails: addresses(nodes, (r) => r.mails),
      phones: phones(nodes),
      contested: records.flatMap((key) => this.contests(key)),
    }
  }

  private contests(record: RecordKey): Contest[] {
    const mine = this.anchor[this.find(this.first.get(record) ?? 0)]
    const list = [...new Set(this.contest.get(record))].filter((key) => key !== mine)
    if (list.length === 0) return []
    return [{ record, with: list.sort((a, b) => (this.first.get(a) ?? 0) - (this.first.get(b) ?? 0)) }]
  }
}

interface Node {
  readonly record: SourceRecord
  readonly key: RecordKey
}

class Values {
  readonly all: { text: string; sources: RecordKey[] }[] = []
  private readonly at = new Map<string, number>()

  add(key: string, text: string, source: RecordKey): void {
    let i = this.at.get(key)
    if (i === undefined) {
      i = this.all.push({ text, sources: [] }) - 1
      this.at.set(key, i)
    }
    const sources = this.all[i]?.sources
    if (sources && !sources.includes(source)) sources.push(source)
  }
}

function single(nodes: readonly Node[], get: (r: SourceRecord) => string | undefined): Single {
  const values = new Values()
  for (const { record, key } of nodes) {
    const text = spaced(get(record) ?? '')
    if (text !== '') values.add(textKey(text), text, key)
  }
  const [first, ...others] = values.all
  return { ...(first ?? { text: '', sources: [] }), others }
}

function photo(nodes: readonly Node[]): Value {
  for (const { record, key } of nodes) {
    if (record.photo) return { text: record.photo, sources: [key] }
    if (nodes[0]?.record.kind === 'directory') break
  }
  return { text: '', sources: [] }
}

function addresses(nodes: readonly Node[], get: (r: SourceRecord) => readonly string[] | undefined): Value[] {
  const values = new Values()
  for (const { record, key } of nodes) {
    for (const text of get(record) ?? []) {
      const form = identifier(text) || textKey(text)
      if (form !== '') values.add(form, spaced(text), key)
    }
  }
  return values.all
}

function phones(nodes: readonly Node[]): MergedPhone[] {
  const list: { form: NumberForm; phone: MergedPhone & { sources: RecordKey[] } }[] = []
  for (const { record, key } of nodes) {
    for (const { kind, number, dial = '' } of record.phones ?? []) {
      const form = formOf(number, dial)
      if (!form) continue
      let known = list.find((item) => sameNumber(item.form, form))
      if (!known) list.push((known = { form, phone: { text: spaced(number), sources: [], kind, dial } }))
      if (!known.phone.sources.includes(key)) known.phone.sources.push(key)
    }
  }
  return list.map(({ phone }) => phone)
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

function compareRecords(a: SourceRecord, b: SourceRecord): number {
  return (
    kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
    bytesOf(a.id) - bytesOf(b.id) ||
    compareText(a.id, b.id) ||
    (a === b ? 0 : compareText(content(a), content(b)))
  )
}

// As long as Go takes a text for.
function bytesOf(s: string): number {
  let n = 0
  for (const c of s) {
    const code = c.codePointAt(0) ?? 0
    n += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return n
}

function content(r: SourceRecord): string {
  const parts = [r.name, r.title, r.department, r.company, r.office, r.photo, r.addresses?.join('\x01'), r.mails?.join('\x01')]
  for (const p of r.phones ?? []) parts.push(p.kind, p.number, p.dial)
  return parts.map((part) => part ?? '').join('\x00')
}
