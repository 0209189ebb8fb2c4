import { expect, it } from 'vitest'
import cases from '../../../../contact/testdata/merge/identifiers.json'
import { identifier } from './identifier'

it('gives the identifiers that the server gives', () => {
  for (const { text, identifier: want } of cases) {
    expect({ text, identifier: identifier(text) }).toEqual({ text, identifier: want })
    expect(identifier(want)).toBe(want)
  }
})

it('takes no surrogate without its other half', () => expect(identifier('a\ud800@example.org')).toBe(''))
