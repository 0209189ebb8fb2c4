import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { moved, standing, type Standing } from './contacts'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'
import type { ContactGroup, PersonRow } from './wire'

const grace: PersonRow = { id: 'p7', display_name: 'Grace', address: 'grace@parley.test' }
const boss: PersonRow = { id: 'p8', display_name: 'Boss', address: 'boss@parley.test' }
const favourites: ContactGroup = { id: 'favourites', key: 'contacts.favourites', people: [grace] }
const team: ContactGroup = { id: 'c1', key: 'contacts.group', name: 'Team', people: [grace], lists: [{ id: 'dg5', name: 'All' }] }
const ships: ContactGroup = { id: 'c2', key: 'contacts.group', name: 'Ships', people: [] }
const others: ContactGroup = { id: 'others', key: 'contacts.others', people: [boss] }
const offered: ContactGroup = { id: 'team', key: 'contacts.team', people: [boss], suggested: true }

describe('where somebody stands', () => {
  const list = [favourites, team, ships, others]
  it.each<[string, string, Standing]>([
    ['a favourite in a group', 'p7', { contact: true, favourite: true, groups: ['c1'] }],
    ['in no group', 'p8', { contact: true, favourite: false, groups: [] }],
    ['a group of the directory', 'dg5', { contact: true, favourite: false, groups: ['c1'] }],
    ['a stranger', 'p9', { contact: false, favourite: false, groups: [] }],
  ])('%s', (_, who, want) => expect(standing(list, who)).toEqual(want))
  it('a suggestion is no contact', () => expect(standing([offered], 'p8').contact).toBe(false))
})

describe('a move', () => {
  const was = { contact: true, favourite: true, groups: ['c1', 'c3'] }
  it.each([
    ['from one group to another', { from: team, to: ships }, { favourite: true, groups: ['c3', 'c2'] }],
    ['as a copy', { from: team, to: ships, copy: true }, { favourite: true, groups: ['c1', 'c3', 'c2'] }],
    ['out of the favourites', { from: favourites, to: ships }, { favourite: false, groups: ['c1', 'c3', 'c2'] }],
    ['into the favourites from a group', { from: team, to: favourites }, { favourite: true, groups: ['c3'] }],
    ['to the others leaves every group', { from: team, to: others }, { favourite: true, groups: [] }],
    ['to where they are', { from: team, to: team }, { favourite: true, groups: ['c1', 'c3'] }],
    ['from nowhere', { to: ships }, { favourite: true, groups: ['c1', 'c3', 'c2'] }],
  ])('%s', (_, move, want) => expect(moved(was, move)).toEqual(want))
})

describe('the list', () => {
  let site: FakeSite
  let groups: ContactGroup[]
  let version: number
  let changes: string[]
  let reads: number
  let core: Core
  let slow: () => Promise<void>
  let refused: string

  beforeEach(async () => {
    freshProfile()
    site = new FakeSite()
    stubPage(site)
    groups = [favourites, team, ships, others]
    version = 1
    changes = []
    slow = async () => undefined
    refused = ''
    reads = 0
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const { pathname } = new URL(url, 'https://parley.test')
      if (site.down || !/^\/api\/contact/.test(pathname)) return site.fetch(url, init)
      if (init.method === 'GET') {
        reads++
        return Response.json({ groups, version })
      }
      if (pathname === refused) return site.fetch('/api/nothing', init)
      changes.push([init.method, pathname, init.body ?? ''].join(' ').trim())
      await slow()
      return init.method === 'POST' ? Response.json({ group: 'c9', version: 7 }) : Response.json({ version: 7 })
    })
    core = await loadCore()
    await core.signIn({ address: 'ada@parley.test', password: 'right' })
    await until(() => core.connection.value === 'online' && core.contactList.value.at === 'here')
  })
  afterEach(async () => {
    leavePages()
    await rest(5)
    vi.unstubAllGlobals()
  })

  it('comes from the server, and from the device without it', async () => {
    expect(core.standingOf('p7').favourite).toBe(true)
    await rest(5)
    site.down = true
    const again = await loadCore()
    await until(() => again.contactList.value.at === 'here')
    expect(again.standingOf('p8')).toEqual({ contact: true, favourite: false, groups: [] })
  })

  it('is fetched again when the server says that it changed, and not for what is known', async () => {
    const before = reads
    site.server.connection.say({ type: 'contacts', version: 1 })
    await rest(5)
    expect(reads).toBe(before)
    groups = [others]
    version = 2
    site.server.connection.say({ type: 'contacts', version: 2 })
    await until(() => !core.standingOf('p7').contact)
  })

  it('is changed on the server and read again', async () => {
    await core.moveContacts(['p7', 'dg5'], { from: team, to: ships })
    expect(changes).toEqual(['PUT /api/contacts/p7 {"favourite":true,"groups":["c2"]}', 'PUT /api/contacts/dg5 {"favourite":false,"groups":["c2"]}'])
    changes = []
    const undo = await core.removeContacts(['p7'])
    groups = [others]
    await undo()
    expect(changes).toEqual(['DELETE /api/contacts/p7', 'PUT /api/contacts/p7 {"favourite":true,"groups":["c1"]}'])
  })

  it('puts nothing of one person back into the list of the next', async () => {
    const undo = await core.removeContacts(['p7'])
    const undoGroup = await core.deleteGroup(team)
    await core.signOut()
    await core.signIn({ address: 'bob@parley.test', password: 'right' })
    await until(() => core.connection.value === 'online' && core.contactList.value.at === 'here')
    changes = []
    await expect(undo()).rejects.toMatchObject({ kind: 'sign-in' })
    await expect(undoGroup()).rejects.toMatchObject({ kind: 'sign-in' })
    expect(changes).toEqual([])
  })

  it('ends a change of many when the person goes, whoever comes next', async () => {
    const answers: (() => void)[] = []
    slow = () => new Promise((ok) => answers.push(ok))
    let told = false
    const people = Array.from({ length: 9 }, (_, i) => `p${i + 20}`)
    void core.addContacts(people).then(() => (told = true), () => (told = true))
    await until(() => answers.length === 4)
    expect(core.contactsFar.value).toEqual({ done: 0, total: 9 })
    answers.shift()?.()
    await until(() => core.contactsFar.value?.done === 1 && answers.length === 4)
    await core.signOut()
    expect(core.contactsFar.value).toBeUndefined()
    await core.signIn({ address: 'bob@parley.test', password: 'right' })
    for (const answer of answers) answer()
    await rest(20)
    expect(changes).toHaveLength(5)
    expect([told, core.contactsFar.value]).toEqual([false, undefined])
  })

  it('begins no more of many when one is refused', async () => {
    refused = '/api/contacts/p21'
    await expect(core.addContacts(Array.from({ length: 9 }, (_, i) => `p${i + 20}`))).rejects.toMatchObject({ kind: 'not-found' })
    expect(changes.length).toBeLessThan(9)
    expect(core.contactsFar.value).toBeUndefined()
  })

  it('brings a deleted group back with its people, at its place', async () => {
    const undo = await core.deleteGroup(team)
    groups = [favourites, ships, others]
    await core.loadContacts()
    changes = []
    await undo()
    expect(changes).toEqual([
      'POST /api/contact-groups {"name":"Team"}',
      'PUT /api/contact-groups/c9 {"position":0}',
      'PUT /api/contacts/p7 {"groups":["c9"]}',
      'PUT /api/contacts/dg5 {"groups":["c9"]}',
    ])
  })

  it('remembers on the device which groups are folded away', async () => {
    core.foldGroup('c1', true)
    await rest(10)
    const again = await loadCore()
    await until(() => again.foldedGroups.value.has('c1'))
  })
})
