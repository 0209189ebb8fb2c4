import { beforeEach, expect, it } from 'vitest'
import { current, type Account } from '../account'
import { Database } from '../store/database'
import { freshProfile, testKeys } from '../testing/device'
import { nameOfFiles, preview, ready, takeOver } from './engine'
import { mostCards } from './read'
import { deviceBook } from './state'

beforeEach(async () => {
  freshProfile()
  const db = await Database.open('p1', await testKeys(), () => undefined)
  current.value = { db, hear: new Set(), hub: { command: async () => undefined } } as unknown as Account
  await ready()
})

const cards = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `BEGIN:VCARD\nVERSION:3.0\nFN:Card ${from + i}\nUID:u${from + i}\nEND:VCARD\n`).join('')
const file = (...texts: string[]) => preview(texts.map((text) => new Blob([text])), () => undefined)
const kept = () => deviceBook.value?.sources.map(({ name, count, left }) => [name, count, left])

it('a file takes nothing away from a source of its name, unless that is said', async () => {
  await takeOver(nameOfFiles(['contacts.vcf']), await file(cards(0, 2)))
  await takeOver(nameOfFiles(['contacts.csv']), await file('Name,E-mail\nNele Ott,nele@home.example\n'))
  expect(kept()).toEqual([['contacts', 2, undefined], ['contacts 2', 1, undefined]])
  expect(deviceBook.value?.size).toBe(3)

  await takeOver('contacts', await file(cards(0, 5)), deviceBook.value?.sources[0]?.id)
  await takeOver('contacts', await file(cards(9, 10)))
  expect(kept()).toEqual([['contacts', 5, undefined], ['contacts 2', 1, undefined], ['contacts 3', 1, undefined]])
})

it('files that were chosen together are one source', async () => {
  await takeOver(nameOfFiles(['a.vcf', 'b.vcf']), await file(cards(0, 2), cards(2, 3)))
  expect(kept()).toEqual([['a, b', 3, undefined]])
})

it('what is more than a source takes is counted, in one file and in several', async () => {
  const one = await file(cards(0, mostCards + 7))
  expect([one.cards.length, one.left]).toEqual([mostCards, 7])
  const several = await file(cards(0, mostCards - 1), cards(mostCards, mostCards + 3))
  expect([several.cards.length, several.left]).toEqual([mostCards, 2])
  await takeOver('big', { ...several, cards: several.cards.slice(0, 2) })
  expect(kept()).toEqual([['big', 2, 2]])
  await takeOver('big', await file(cards(0, 1)), deviceBook.value?.sources[0]?.id)
  expect(kept()).toEqual([['big', 1, undefined]])
})
