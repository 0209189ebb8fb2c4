import { expect, it } from 'vitest'
import { parse } from './router'
import { windowTitle } from './title'

it.each([
  ['#/chats', true, 0, 'Chats – Parley'],
  ['#/chats/p1.p2', true, 3, '(3) Chats – Parley'],
  ['#/info/options', true, 0, 'My Info – Parley'],
  ['#/chats', false, 3, 'Sign In – Parley'],
  ['#/privacy', false, 0, 'Privacy – Parley'],
  ['#/invitation/x', false, 0, 'Welcome – Parley'],
])('%s %s %i', (hash, signedIn, count, want) => {
  expect(windowTitle(parse(hash), signedIn, count)).toBe(want)
})
