import { expect, it } from 'vitest'
import { current, type Account } from '../account'
import { Database } from '../store/database'
import { until } from '../testing/clock'
import { freshProfile, testKeys } from '../testing/device'
import { deviceBook, followSources, sourcesEngine, sourcesRead } from './state'

it('tells contacts that are not read yet from those that are not there', async () => {
  freshProfile()
  const account = { db: await Database.open('p1', await testKeys(), () => undefined), hear: new Set(), hub: { command: async () => undefined } } as unknown as Account
  followSources()
  expect(sourcesRead.value).toBe(false)

  current.value = account
  await until(() => sourcesRead.value, 'nothing to be read')
  expect(deviceBook.value).toBe(undefined)
  await (await sourcesEngine()).takeOver('phone', { cards: [{ name: 'Nele', uid: 'n' }], broken: [] })

  current.value = undefined
  expect(sourcesRead.value).toBe(false)
  current.value = account
  expect([sourcesRead.value, deviceBook.value]).toEqual([false, undefined])
  await until(() => sourcesRead.value, 'the contacts to be read')
  expect(deviceBook.value?.card('device:n')?.card.name).toBe('Nele')
})
