import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'
import type { Settings } from './wire'

let site: FakeSite
let core: Core
let kept: Settings
let lists: number

beforeEach(async () => {
  freshProfile()
  site = new FakeSite()
  stubPage(site)
  kept = { pictures: { share: true, show: true, allowed: true }, phones: [], password: 'here' }
  lists = 0
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const { pathname } = new URL(url, 'https://parley.test')
    if (site.down || !/^\/api\/(me\/|contacts)/.test(pathname)) return site.fetch(url, init)
    if (pathname === '/api/contacts') {
      lists++
      return Response.json({ groups: [], version: lists })
    }
    if (pathname === '/api/me/pictures') kept = { ...kept, pictures: { ...kept.pictures, ...(JSON.parse(String(init.body)) as object) } }
    return Response.json(kept)
  })
  core = await loadCore()
  await core.signIn({ address: 'ada@parley.test', password: 'right' })
  await until(() => core.settings.value !== undefined)
})
afterEach(async () => {
  leavePages()
  await rest(5)
  vi.unstubAllGlobals()
})

it('settings are kept on the device', async () => {
  await rest(5)
  site.down = true
  const again = await loadCore()
  await until(() => again.settings.value?.password === 'here')
})

it('the list is looked at again when pictures are switched, here or on another device', async () => {
  await until(() => lists > 0)
  const before = lists
  await core.setPictures({ share: false })
  await rest(5)
  expect(lists).toBe(before)
  await core.setPictures({ show: false })
  await until(() => lists > before)
  const then = lists
  kept = { ...kept, pictures: { ...kept.pictures, show: true } }
  site.server.connection.say({ type: 'card', person: 'p1' })
  await until(() => lists > then && core.settings.value?.pictures.show === true)
})
