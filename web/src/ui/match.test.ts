import { describe, expect, it } from 'vitest'
import { digitsOf, matches, merged, onPad, ranked, withPartners } from './match'

const row = (display_name: string, address = 'x@example.com', id = 'p1') => ({ id, display_name, address })

describe('matches', () => {
  it.each([
    ['Jane Doe', 'doe', true],
    ['Jane Doe', 'do ja', true],
    ['Jane Doe', 'JANE', true],
    ['Jane Doe', 'oe', false],
    ['Jane Doe', 'jane z', false],
    ['Jürgen Groß', 'jurgen gross', true],
    ['Åsa Ørsted', 'asa orsted', true],
    ['Anna-Lena Schmidt', 'lena', true],
    ['Doe, Jane', 'jane, doe', true],
    ['Jane Doe', '', false],
    ['Jane Doe', '  ', false],
    ['Jane Doe', 'x@exa', true],
    ['Siobhán O’Neill', 'neill', true],
    ['Søren Ångström', 'angs sor', true],
  ])('%s / %s', (name, query, want) => {
    expect(matches(row(name), query)).toBe(want)
  })
})

describe('merged', () => {
  it('keeps one entry a person and the order of the server', () => {
    const got = merged([row('B', 'b', 'p2'), row('A', 'a', 'p1')], [row('A', 'a', 'p1'), row('C', 'c', 'p3')])
    expect(got.map((r) => r.id)).toEqual(['p2', 'p1', 'p3'])
  })
})

describe('the dial pad', () => {
  it('writes letters of any accent with its keys', () => expect(digitsOf('Ångström 3')).toBe('264787663'))
  it.each([
    ['Søren Ångström', '76736', true],
    ['Søren Ångström', '2647', true],
    ['Søren Ångström', '767362647', true],
    ['Søren Ångström', '264776736', false],
    ['Jane Doe', '5', false],
    ['Jane Doe', '52x', false],
    ['Jane Doe', '+52', false],
    ['Дмитрий Соколов', '22', false],
  ])('%s / %s', (name, typed, want) => expect(onPad(row(name), typed)).toBe(want))
})

describe('ranked', () => {
  it('puts contacts first, then who is found by name, then who one talks with', () => {
    const people = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'].map((id) => ({ ...row(id, id, id), ...(id === 'p1' || id === 'p5' ? { matched: 'Buyer' } : {}) }))
    const got = ranked(people, (id) => id === 'p5' || id === 'p6', (id) => id === 'p4' || id === 'p1')
    expect(got.map((r) => r.id)).toEqual(['p6', 'p5', 'p4', 'p2', 'p3', 'p1'])
  })
})

describe('whom one talks with', () => {
  const server = ['p1', 'p2'].map((id) => row(`Anna ${id}`, id, id))
  const known = [row('Zoe Anders', 'zoe', 'p7'), row('Anna Stranger', 'anna', 'p8'), row('Xi', 'anders@x', 'p9'), ...server]
  const recent = (id: string) => id !== 'p8' && id !== 'p1'
  it.each([
    ['an', false, ['p2', 'p7', 'p1']],
    ['ande', false, ['p2', 'p7', 'p1']], // p9 is known by the address alone: that is the server's to say
    ['26', true, ['p2', 'p7', 'p1']],
    ['29', true, ['p2', 'p1']],
  ])('is on top of what the server has left out: %s', (query, pad, want) => {
    expect(ranked(withPartners(server, known, query, pad, recent), () => false, recent).map((r) => r.id)).toEqual(want)
  })
})
