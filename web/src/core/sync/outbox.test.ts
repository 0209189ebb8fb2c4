import { describe, expect, it } from 'vitest'
import { Backoff } from '../clock'
import type { Queued } from '../store/queue'
import { FakeClock } from '../testing/clock'
import { Chain } from './chain'
import { Outbox } from './outbox'

const item = (n: number, conversation = 'a', failed?: string): Queued => ({
  n,
  conversation,
  at: '',
  id: `m${n}`,
  content: 'text.v1',
  text: '',
  ...(failed === undefined ? {} : { failed }),
})

function outbox(...items: Queued[]): { clock: FakeClock; box: Outbox; take: () => string[] } {
  const clock = new FakeClock()
  const box = new Outbox(clock)
  box.items = items
  return { clock, box, take: () => box.take().map((q) => q.id) }
}

describe('the outbox', () => {
  it('has one message a conversation under way', () => {
    const { box, take } = outbox(item(1), item(2), item(3, 'b'))
    expect(take()).toEqual(['m1', 'm3'])
    expect(take()).toEqual([])
    box.settled(['m1'])
    expect(take()).toEqual(['m2'])
  })

  it('passes over what has failed', () => {
    const { take } = outbox(item(1, 'a', 'no'), item(2))
    expect(take()).toEqual(['m2'])
  })

  it('holds a conversation, longer each time, and no other', () => {
    const { clock, box, take } = outbox(item(1), item(2), item(3, 'b'))
    take()
    box.settled(['m3'])
    box.hold('m1', undefined)
    expect(take()).toEqual([])
    const first = (box.nextTry() ?? 0) - clock.now()
    clock.pass(first)
    expect(take()).toEqual(['m1'])
    box.hold('m1', undefined)
    expect((box.nextTry() ?? 0) - clock.now()).toBeGreaterThan(first)
    box.release()
    expect(take()).toEqual(['m1'])
  })

  it('waits as long as the server says', () => {
    const { clock, box, take } = outbox(item(1))
    take()
    box.hold('m1', 60)
    clock.pass(59_999)
    expect(take()).toEqual([])
    clock.pass(1)
    expect(take()).toEqual(['m1'])
  })

  it('sends everything again after a loss', () => {
    const { box, take } = outbox(item(1), item(2, 'b'))
    take()
    box.lost()
    expect(take()).toEqual(['m1', 'm2'])
  })

  it('keeps the pace', () => {
    const { clock, box, take } = outbox(...Array.from({ length: 10 }, (_, i) => item(i, `c${i}`)))
    box.pace(3, 2)
    expect(take()).toHaveLength(3)
    expect(take()).toHaveLength(0)
    clock.pass((box.nextTry() ?? 0) - clock.now())
    expect(take()).toHaveLength(1)
    clock.pass(10_000)
    expect(take()).toHaveLength(3)
  })
})

describe('the chain', () => {
  it.each([
    ['the next entry', 'c2', 'c3', 'apply'],
    ['the same again', 'c1', 'c2', 'duplicate'],
    ['one from before', 'c0', 'c1', 'duplicate'],
    ['one too far', 'c5', 'c6', 'gap'],
    ['one from nowhere', '', 'x', 'gap'],
  ])('%s', (_, prev, cursor, want) => {
    const chain = new Chain('c0')
    chain.step('c0', 'c1')
    chain.step('c1', 'c2')
    expect(chain.step(prev, cursor)).toBe(want)
    expect(chain.cursor).toBe(want === 'apply' ? cursor : 'c2')
  })

  it('does not remember for ever', () => {
    const chain = new Chain('0')
    for (let i = 0; i < 5000; i++) chain.step(String(i), String(i + 1))
    expect(chain.step('0', '1')).toBe('gap')
    expect(chain.step('4998', '4999')).toBe('duplicate')
  })
})

describe('the back-off', () => {
  it('doubles up to its most, with chance in it, and starts over', () => {
    const clock = new FakeClock()
    clock.chance = 0.999_999
    const backoff = new Backoff(clock, 100, 1_000)
    expect(Array.from({ length: 6 }, () => Math.round(backoff.next()))).toEqual([100, 200, 400, 800, 1000, 1000])
    clock.chance = 0
    expect(backoff.next()).toBe(500)
    expect(backoff.next(700)).toBe(700)
    backoff.reset()
    expect(backoff.next()).toBe(50)
  })
})
