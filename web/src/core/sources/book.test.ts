import { describe, expect, it } from 'vitest'
import type { CardItem, SourceItem } from '../store/schema'
import type { PersonRow } from '../wire'
import { DeviceBook, rowRecord } from './book'
import { undecided, unlink } from './decide'

const source = (id: string, on = true, kind: SourceItem['kind'] = 'device'): SourceItem => ({ id, kind, name: id, on, pages: 1, count: 1, skipped: 0, at: '' })
const cards: CardItem[] = [
  { id: 'zoe', name: 'Zoë L.', mails: ['zoe@home.example', 'ZOE@example.org'], phones: [{ kind: 'mobile', number: '0151 555 0001' }] },
  { id: 'mum', name: 'Ångström Mum', nick: 'Mama', phones: [{ kind: 'home', number: '+46 8 555 0002' }] },
]
const zoe: PersonRow = { id: 'p7', display_name: 'Zoë Lindqvist', address: 'zoe@example.org' }
const book = (on = true, decisions = undecided) => new DeviceBook([source('phone', on)], new Map([['phone', cards]]), decisions)

describe('the device\'s contacts', () => {
  it.each([
    ['mum ang', false, ['device:mum'], undefined],
    ['ångström', false, ['device:mum'], undefined],
    ['mama', false, ['device:mum'], undefined],
    ['264', true, ['device:mum'], undefined], // ang
    ['555 0002', false, ['device:mum'], '+46 8 555 0002'],
    ['0046 8 5550002', false, ['device:mum'], '+46 8 555 0002'],
    ['+49 151 5550001', false, ['directory:p7', 'device:zoe'], '0151 555 0001'],
    ['1515550', true, ['directory:p7', 'device:zoe'], '0151 555 0001'],
    ['zoe@home', false, ['directory:p7', 'device:zoe'], undefined],
    ['nobody', false, undefined, undefined],
    ['55', false, undefined, undefined],
  ])('are found by %s', (query, pad, records, matched) => {
    const [hit] = book().find(query, pad, [zoe])
    expect([hit?.merged.records, hit?.matched]).toEqual([records, matched])
  })

  it('are joined with a row, unless that is undone', () => {
    expect(book().linked(zoe, [zoe])).toBe(true)
    const merged = book().person(rowRecord(zoe), [zoe])
    expect(merged?.phones.map((p) => p.text)).toEqual(['0151 555 0001'])
    const apart = book(true, unlink(undecided, 'device:zoe', ['directory:p7']))
    expect(apart.linked(zoe, [zoe])).toBe(false)
    expect(apart.find('zoe@home', false, [zoe])[0]?.merged.records).toEqual(['device:zoe'])
  })

  it('are joined by what the person linked', () => {
    const linked = book(true, { apart: [], together: [['device:mum', 'directory:p7']] })
    expect(linked.person(rowRecord(zoe), [zoe])?.records).toEqual(['directory:p7', 'device:mum', 'device:zoe'])
    expect(linked.find('mama', false, [zoe])[0]?.merged.records).toEqual(['directory:p7', 'device:mum', 'device:zoe'])
  })

  it('are not there when their source is switched off', () => {
    expect(book(false).size).toBe(0)
    expect(book(false).linked(zoe, [zoe])).toBe(false)
    expect(book(false).find('mama', false, [])).toEqual([])
  })

  it('are found among 10,000', () => {
    const many = Array.from({ length: 10_000 }, (_, i): CardItem => ({ id: `c${i}`, name: `Given${i % 977} Family${i}`, mails: [`u${i}@x.example`], phones: [{ kind: 'work', number: `+49 30 ${100_000 + i}` }] }))
    const big = new DeviceBook([source('phone')], new Map([['phone', many]]), undecided)
    expect(big.find('given5 family98', false, []).length).toBeGreaterThan(0)
    expect(big.find('30 109999', false, [])).toHaveLength(1)
  })
})
