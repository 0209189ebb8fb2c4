import { describe, expect, it } from 'vitest'
import { all } from './later'
import { fill, refusalText, text, wireText } from './text'

describe('text', () => {
  it('fills in values and chooses the form', () => {
    expect(text('nav.back', { place: 'Chats' })).toBe('Back to Chats')
    expect(text('chats.delete-question', { count: 1 })).toBe('Delete this conversation?')
    expect(text('chats.delete-question', { count: 2 })).toBe('Delete 2 conversations?')
    expect(text('chats.unread', { count: 3 })).toBe('3 unread')
  })

  it('never reads a value as a pattern', () => {
    expect(text('announce.message', { from: '{text}', text: '$& {from}' })).toBe('New message from {text}: $& {from}')
  })

  it('leaves a name without a value standing', () => {
    expect(fill('a {b}')).toBe('a {b}')
  })

  it('refuses at compile time what a text does not know', () => {
    // @ts-expect-error: no such key
    expect(() => text('no.such.key')).toThrow()
    // @ts-expect-error: the value is missing
    expect(text('nav.back')).toContain('{place}')
  })

  it('is plain where the product fixes the words', () => {
    expect(text('emergency')).toBe("Do not use Parley to call emergency services. It cannot determine your location. Close Parley and use your device's dial pad.")
  })
})

describe('what comes over the wire', () => {
  it('has words for every kind of refusal, and for keys it does not know', () => {
    const kinds = ['invalid', 'too-large', 'unsupported', 'sign-in', 'forbidden', 'not-found', 'conflict', 'too-many', 'unavailable', 'full', 'internal', 'offline']
    for (const kind of kinds) expect(refusalText({ kind, key: 'of.a.newer.server' })).not.toBe('')
    expect(refusalText({ kind: 'of-a-newer-server' })).toBe(text('kind.internal'))
    expect(refusalText({ kind: 'invalid', key: 'password.short' })).toBe('The password is too short.')
  })

  it('finds no text for a token that only looks like a property', () => {
    expect(wireText('group', 'constructor')).toBeUndefined()
    expect(wireText('source', undefined)).toBeUndefined()
  })
})

it('has no empty text', () => {
  for (const [key, value] of Object.entries(all)) {
    for (const form of typeof value === 'string' ? [value] : Object.values(value)) expect(form.trim(), key).not.toBe('')
  }
})
