import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { rest, until } from '../testing/clock'
import { freshProfile } from '../testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from '../testing/page'

type Engine = Awaited<ReturnType<Core['sourcesEngine']>>
let here: Core
let there: Core
let a: Engine
let b: Engine
beforeEach(async () => {
  freshProfile()
  stubPage(new FakeSite())
  here = await loadCore()
  await here.signIn({ address: 'ada@parley.test', password: 'right' })
  // Each tab has its own modules: what it loads later comes before the next tab does.
  a = await here.sourcesEngine()
  there = await loadCore()
  await until(() => there.session.value !== undefined)
  b = await there.sourcesEngine()
})
afterEach(async () => {
  leavePages()
  await rest(5)
  vi.unstubAllGlobals()
})

const parsed = (...names: string[]) => ({ cards: names.map((name) => ({ name, uid: name, mails: [`${name}@home.example`] })), broken: [] }) as never
const sizes = () => [here.deviceBook.value?.size, there.deviceBook.value?.size]

it('two tabs see what each of them changes, without a reload', async () => {
  await a.takeOver('phone', parsed('mum', 'dad'))
  await until(() => sizes().join() === '2,2', 'the import')
  await b.takeOver('tablet', parsed('uncle'))
  await until(() => sizes().join() === '3,3', 'the second import')
  const phone = here.deviceBook.value?.sources.find((s) => s.name === 'phone')?.id ?? ''
  await b.switchSource(phone, false)
  await until(() => sizes().join() === '1,1', 'switched off')
  await Promise.all([a.removeSource(phone), b.takeOver('watch', parsed('aunt'))])
  await until(() => sizes().join() === '2,2', 'both changes')
})

it('an undo takes back its own decision and no other tab\'s', async () => {
  const undo = await a.separate('device:x', ['directory:p1'])
  await until(() => there.deviceBook.value?.decisions.apart.length === 1)
  await b.separate('device:y', ['directory:p1'])
  await until(() => here.deviceBook.value?.decisions.apart.length === 2)
  await undo()
  await until(() => there.deviceBook.value?.decisions.apart.length === 1)
  expect(there.deviceBook.value?.decisions.apart).toEqual([['device:y', 'directory:p1']])
})
