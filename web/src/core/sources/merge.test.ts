import { describe, expect, it } from 'vitest'
import { link, undecided, undo, unlink } from './decide'
import { keyOf, merge, type Merged, type Pair, type RecordKey, type SourceRecord, type Value } from './merge'

interface Case {
  name: string
  records: SourceRecord[]
  apart: Pair[]
  together: Pair[]
  groups: RecordKey[][]
  people: unknown[]
}

// The cases that hold contact.Merge and this one together.
const files = import.meta.glob<Case[]>('../../../../contact/testdata/merge/*.json', { eager: true, import: 'default' })
const cases = Object.entries(files).flatMap(([file, list]) => (file.endsWith('identifiers.json') ? [] : list))

const sourced = ({ text, sources }: Value) => ({ text, sources: [...sources] })

// As the cases are written: what is empty is left out.
function plain(m: Merged): unknown {
  const single = (v: Value & { others: readonly Value[] }) => ({ ...sourced(v), ...(v.others.length > 0 && { others: v.others.map(sourced) }) })
  return {
    records: m.records,
    name: single(m.name),
    title: single(m.title),
    department: single(m.department),
    company: single(m.company),
    office: single(m.office),
    photo: sourced(m.photo),
    addresses: m.addresses.map(sourced),
    mails: m.mails.map(sourced),
    phones: m.phones.map((p) => ({ ...sourced(p), ...(p.kind && { kind: p.kind }), ...(p.dial && { dial: p.dial }) })),
    contested: m.contested,
  }
}

describe('merge', () => {
  it('has the cases', () => expect(cases.length).toBeGreaterThanOrEqual(40))
  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    const found = merge(c.records, { apart: c.apart, together: c.together })
    expect(found.map((m) => m.records)).toEqual(c.groups)
    expect(found.map(plain)).toEqual(c.people)
    expect(merge([...c.records].reverse(), { apart: [...c.apart].reverse(), together: [...c.together].reverse() })).toEqual(found)
  })
})

describe('decisions', () => {
  const alice: SourceRecord = { kind: 'directory', id: 'p1', name: 'Alice', addresses: ['alice@example.org'] }
  const a: SourceRecord = { kind: 'device', id: 'a', name: 'Al', mails: ['alice@example.org', 'al@home.example'] }
  const b: SourceRecord = { kind: 'device', id: 'b', name: 'Ally', mails: ['al@home.example'] }
  const c: SourceRecord = { kind: 'device', id: 'c', name: 'Mum' }
  const all = [alice, a, b, c]
  const groups = (d = undecided) => merge(all, d).map((m) => m.records)

  it('unlink and link again', () => {
    const apart = unlink(undecided, 'device:a', ['directory:p1', 'device:b'])
    expect(groups(apart)).toEqual([['directory:p1'], ['device:a'], ['device:b'], ['device:c']])
    const again = link(apart, all, 'device:a', 'directory:p1')
    expect(again.together).toEqual([])
    expect(groups(again)).toEqual([['directory:p1', 'device:a'], ['device:b'], ['device:c']])
    expect(groups(link(again, all, 'device:b', 'directory:p1'))).toEqual(groups())
  })

  it('are taken back alone, whatever was decided since', () => {
    const one = unlink(undecided, 'device:a', ['directory:p1'])
    const two = link(one, all, 'device:c', 'directory:p1')
    expect(undo(undecided, one)(two)).toEqual(link(undecided, all, 'device:c', 'directory:p1'))
    expect(undo(one, two)(two)).toEqual(one)
    const linked = link(one, all, 'device:a', 'directory:p1')
    expect(undo(one, linked)(link(linked, all, 'device:c', 'directory:p1')).apart).toEqual(one.apart)
    expect(undo(undecided, one)(undecided)).toEqual(undecided)
    const away = unlink(two, 'device:c', ['directory:p1'])
    expect(undo(two, away)(away)).toEqual(two)
  })

  it('link what shares nothing, and unlink it', () => {
    const linked = link(undecided, all, 'device:c', 'directory:p1')
    expect(groups(linked)).toEqual([['directory:p1', 'device:a', 'device:b', 'device:c']])
    expect(groups(unlink(linked, 'device:c', ['directory:p1', 'device:a', 'device:b']))).toEqual(groups())
  })
})

describe('in 600 worlds', () => {
  // Numbers that look random and are the same every time.
  const world = (seed: number) => {
    let state = seed * 2_654_435_761
    const below = (n: number): number => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
      return ((state ^ (state >>> 13)) >>> 0) % n
    }
    const some = (n: number): string[] => Array.from({ length: below(n + 1) }, () => `u${below(8)}@example.org`)
    const records: SourceRecord[] = Array.from({ length: below(5) }, (_, i) => ({ kind: 'directory', id: `p${i}`, addresses: some(1), mails: some(2) }))
    for (let i = below(7); i > 0; i--) records.push({ kind: below(2) === 0 ? 'device' : 'address-book', id: `c${i}`, mails: some(3) })
    const turned = [...records].sort(() => below(3) - 1)
    return { records, turned }
  }

  it('neither order nor hearing twice changes anything', () => {
    for (let seed = 1; seed <= 600; seed++) {
      const { records, turned } = world(seed)
      const want = merge(records, undecided)
      expect(merge(turned, undecided), `seed ${seed}`).toEqual(want)
      expect(merge([...turned, ...records], undecided), `seed ${seed}`).toEqual(want)
    }
  })

  it('a card with own addresses of two people is alone until it is linked', () => {
    let seen = 0
    for (let seed = 1; seed <= 600; seed++) {
      const { records } = world(seed)
      const people = merge(records, undecided)
      for (const card of records.filter((r) => r.kind !== 'directory')) {
        const signs = (id: string) => records.filter((r) => r.kind === 'directory' && r.addresses?.[0] === id)
        const named = new Set((card.mails ?? []).map(signs).flatMap(([person, another]) => (person && !another ? [keyOf(person)] : [])))
        const [to] = named
        if (named.size < 2 || to === undefined) continue
        seen++
        expect(people.find((m) => m.records.includes(keyOf(card)))?.records, `seed ${seed}`).toEqual([keyOf(card)])
        expect(merge(records, link(undecided, records, keyOf(card), to)).find((m) => m.records.includes(to))?.records, `seed ${seed}`).toContain(keyOf(card))
      }
    }
    expect(seen).toBeGreaterThan(20)
  })
})

it('looks at each of 10,000 cards a few times, however many there are', () => {
  let looked = 0
  const counted = (record: SourceRecord): SourceRecord => ({
    ...record,
    get mails() {
      looked++
      return record.mails ?? []
    },
  })
  const records: SourceRecord[] = []
  for (let i = 0; i < 10_000; i++) records.push(counted({ kind: 'device', id: `d${i}`, name: `Card ${i}`, mails: [`u${i % 4_000}@example.org`] }))
  for (let i = 0; i < 1_000; i++) records.push(counted({ kind: 'directory', id: `p${i}`, name: `Person ${i}`, addresses: [`u${i}@example.org`] }))
  const people = merge(records, undecided)
  expect(people).toHaveLength(4_000)
  expect(looked).toBeLessThanOrEqual(4 * records.length)
}, 60_000)
