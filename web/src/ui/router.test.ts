import { describe, expect, it } from 'vitest'
import { cardPath, href, motion, parse } from './router'

describe('parse', () => {
  it.each([
    ['', 'contacts', []],
    ['#', 'contacts', []],
    ['#/chats', 'chats', []],
    ['#/chats/p3.p17', 'chats', ['p3.p17']],
    ['#/info/options/devices', 'info', ['options', 'devices']],
    ['#/contacts/jane%40example.com', 'contacts', ['jane@example.com']],
    ['#/invitation/Ab-_9', 'invitation', ['Ab-_9']],
    ['#/nowhere/p1', 'contacts', []],
    ['#/contacts/%E0%A4%A', 'contacts', ['%E0%A4%A']],
    ['#//contacts//p1/', 'contacts', ['p1']],
    ['#/__proto__', 'contacts', []],
  ])('%s', (hash, section, rest) => {
    expect(parse(hash)).toEqual({ section, rest })
  })

  it('reads what href writes', () => {
    for (const part of ['p17', 'jane@example.com', 'a/b', '100%', 'ü ö', '#']) {
      expect(parse(href('contacts', part))).toEqual({ section: 'contacts', rest: [part] })
    }
  })
})

describe('cardPath', () => {
  it.each([
    ['/people/jane@example.com', 'jane@example.com'],
    ['/people/jane%40example.com/', 'jane@example.com'],
    ['/people/', undefined],
    ['/people/a/b', undefined],
    ['/', undefined],
  ])('%s', (path, want) => {
    expect(cardPath(path)).toBe(want)
  })
})

describe('motion', () => {
  it.each([
    ['#/chats', '#/chats/p1.p2', 'push'],
    ['#/chats/p1.p2', '#/chats', 'pop'],
    ['#/chats/p1.p2', '#/chats/p1.p3', 'none'],
    ['#/chats/p1.p2', '#/contacts', 'none'],
    ['#/info/options', '#/info/options/about', 'push'],
  ])('%s to %s', (from, to, want) => {
    expect(motion(parse(from), parse(to))).toBe(want)
  })
})
