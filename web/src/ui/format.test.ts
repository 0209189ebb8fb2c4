import { describe, expect, it } from 'vitest'
import { clock, day, daysBefore, initials, listTime, localTime, moment, runs, zoneName } from './format'

const now = new Date(2026, 10, 22, 14, 30)
const at = (days: number, hour = 9, minute = 5) => new Date(2026, 10, 22 - days, hour, minute)

describe('daysBefore', () => {
  it.each([
    ['the same minute', at(0), 0],
    ['this morning', at(0, 0, 0), 0],
    ['a minute before midnight', at(1, 23, 59), 1],
    ['over the change to winter time', new Date(2026, 9, 20, 12), 33],
    ['tomorrow', at(-1), -1],
  ])('%s', (_, when, want) => {
    expect(daysBefore(when, now)).toBe(want)
  })
})

describe('day and listTime', () => {
  it.each([
    ['today', at(0), 'Today', clock(at(0))],
    ['yesterday', at(1), 'Yesterday', 'Yesterday'],
    ['this week', at(3), new Intl.DateTimeFormat(undefined, { weekday: 'long' }).format(at(3)), new Intl.DateTimeFormat(undefined, { weekday: 'long' }).format(at(3))],
  ])('%s', (_, when, long, short) => {
    expect(day(when, now)).toBe(long)
    expect(listTime(when, now)).toBe(short)
  })

  it('names the year only when it is another one', () => {
    expect(day(at(30), now)).not.toContain('2026')
    expect(day(new Date(2025, 1, 3), now)).toContain('2025')
  })

  it('says a moment within a sentence', () => {
    expect([at(0), at(1), at(-1)].map((when) => moment(when, now))).toEqual([clock(at(0)), `yesterday ${clock(at(1))}`, `tomorrow ${clock(at(-1))}`])
  })

  it('shows nothing for a time that is none', () => {
    expect(day('soon', now) + listTime('soon', now) + clock('soon')).toBe('')
  })
})

describe('localTime', () => {
  it('gives the time of the zone', () => {
    const noon = new Date('2026-11-22T12:00:00Z')
    const want = new Intl.DateTimeFormat(undefined, { timeStyle: 'short', timeZone: 'Asia/Tokyo' }).format(noon)
    expect(localTime('Asia/Tokyo', noon)).toContain(want)
  })

  it('says the day where it differs', () => {
    const here = new Intl.DateTimeFormat().resolvedOptions().timeZone
    const late = new Date('2026-11-22T23:30:00Z')
    expect(localTime('Pacific/Kiritimati', late) === localTime(here, late)).toBe(false)
  })

  it('survives a zone it does not know', () => {
    expect(localTime('Mars/Olympus', now)).toBeUndefined()
    expect(zoneName('America/Argentina/Buenos_Aires')).toBe('Buenos Aires')
  })
})

describe('initials', () => {
  it.each([
    ['Jane Doe', 'JD'],
    ['Ørsted, Åsa', 'ØÅ'],
    ['Prince', 'P'],
    ['  ', ''],
    ['Ana María de la Cruz (Ext)', 'AC'],
    ['李 小龙', '李小'],
    ['𝒥ane Doe', '𝒥D'],
  ])('%s', (name, want) => {
    expect(initials(name)).toBe(want)
  })
})

describe('runs', () => {
  const message = (from: string, when: Date) => ({ from, at: when.toISOString() })

  it('keeps one sender together and names each day once', () => {
    const got = runs([message('p1', at(1, 9, 0)), message('p1', at(1, 9, 1)), message('p2', at(1, 9, 2)), message('p2', at(0, 9, 0)), message('p1', at(0, 9, 1))], now)
    expect(got.map((g) => [g.from, g.items.length, g.day])).toEqual([
      ['p1', 2, 'Yesterday'],
      ['p2', 1, undefined],
      ['p2', 1, 'Today'],
      ['p1', 1, undefined],
    ])
  })

  it('starts anew after a pause', () => {
    expect(runs([message('p1', at(0, 9, 0)), message('p1', at(0, 9, 20))], now)).toHaveLength(2)
  })

  it('keeps the given order, whatever the times say', () => {
    const got = runs([message('p1', at(0, 9, 2)), message('p1', at(0, 9, 0))], now)
    expect(got.flatMap((g) => g.items.map((m) => m.at))).toEqual([at(0, 9, 2).toISOString(), at(0, 9, 0).toISOString()])
  })

  it('is empty for nothing', () => {
    expect(runs([], now)).toEqual([])
  })
})
