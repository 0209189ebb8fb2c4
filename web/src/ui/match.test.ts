import { describe, expect, it } from 'vitest'
import { matches, merged } from './match'

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
