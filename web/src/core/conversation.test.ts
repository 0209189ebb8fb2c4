import { describe, expect, it } from 'vitest'
import { between, isChat, otherIn } from './conversation'

describe('conversations', () => {
  it('puts the lower number first, as a number', () => {
    expect(between('p17', 'p3')).toBe('p3.p17')
    expect(between('p9', 'p10')).toBe('p9.p10')
  })

  it.each([
    ['p3.p17', 'p3', 'p17'],
    ['p3.p17', 'p17', 'p3'],
    ['p3.p17', 'p1', ''],
    ['g5', 'p3', ''],
    ['p3', 'p3', ''],
  ])('the other in %s for %s is "%s"', (conversation, me, other) => {
    expect(otherIn(conversation, me)).toBe(other)
  })

  it.each([
    ['p3.p17', true],
    ['g5', true],
    ['p3', false],
    ['', false],
    ['p3.p17.p9', false],
  ])('%s in the list: %s', (conversation, listed) => {
    expect(isChat(conversation)).toBe(listed)
  })
})
