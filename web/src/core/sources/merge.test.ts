import { describe, expect, it } from 'vitest'
import { link, undecided, unlink } from './decide'
import { merge, type Merged, type Pair, type RecordKey, type SourceRecord, type Value } from './merge'

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

  it('link what shares nothing, and unlink it', () => {
    const linked = link(undecided, all, 'device:c', 'directory:p1')
    expect(groups(linked)).toEqual([['directory:p1', 'device:a', 'device:b', 'device:c']])
    expect(groups(unlink(linked, 'device:c', ['directory:p1', 'device:a', 'device:b']))).toEqual(groups())
  })
})

it('joins 10,000 cards and 1,000 people without being long', () => {
  const records: SourceRecord[] = []
  for (let i = 0; i < 10_000; i++) records.push({ kind: 'device', id: `d${i}`, name: `Card ${i}`, mails: [`u${i % 4_000}@example.org`, 'info@shop.example'.slice(i % 3 === 0 ? 0 : 99)] })
  for (let i = 0; i < 1_000; i++) records.push({ kind: 'directory', id: `p${i}`, name: `Person ${i}`, addresses: [`u${i}@example.org`] })
  const begun = performance.now()
  merge(records, undecided)
  expect(performance.now() - begun).toBeLessThan(2_000)
})
