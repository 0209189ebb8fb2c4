import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addedFrom } from './added'
import { toBase64, utf8 } from './bytes'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'

const content = 'application/vnd.parley.contact-added.v1+json'
const body = (value: unknown): string => toBase64(utf8(JSON.stringify(value)))

describe('a notice', () => {
  const entry = { kind: 'notice', content, from: '', id: 'x', at: '2026-11-25T10:00:00.000Z', body: body({ person: 'p7' }) }
  it('names who added me', () => expect(addedFrom(entry)).toEqual({ key: '/x', person: 'p7', at: entry.at }))
  it.each([
    ['another kind', { ...entry, kind: 'message' }],
    ['another content', { ...entry, content: 'text.v1' }],
    ['no base64', { ...entry, body: '%' }],
    ['no JSON', { ...entry, body: toBase64(utf8('{')) }],
    ['null', { ...entry, body: body(null) }],
    ['no person', { ...entry, body: body({ person: 'd4' }) }],
    ['nothing', { ...entry, body: undefined }],
  ])('is not read from %s', (_, e) => expect(addedFrom(e as typeof entry)).toBeUndefined())
})

describe('who has added me', () => {
  let site: FakeSite
  let core: Core
  let people: string[]

  const tell = (person: string): void => void site.server.write('', { conversation: 'p1', from: '', kind: 'notice', content, body: body({ person }), client_id: '' })
  const names = (c = core): string[] => c.addedMe.value.map((n) => n.person)

  beforeEach(async () => {
    freshProfile()
    site = new FakeSite()
    stubPage(site)
    people = []
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const { pathname } = new URL(url, 'https://parley.test')
      if (pathname !== '/api/contacts' || site.down) return site.fetch(url, init)
      const rows = people.map((id) => ({ id, display_name: id, address: `${id}@parley.test` }))
      return Response.json({ groups: [{ id: 'others', key: 'contacts.others', people: rows }], version: people.length })
    })
    core = await loadCore()
    await core.signIn({ address: 'ada@parley.test', password: 'right' })
    await until(() => core.connection.value === 'online')
  })
  afterEach(async () => {
    leavePages()
    await rest(5)
    vi.unstubAllGlobals()
  })

  it('is told once a person, is no conversation, and outlives a reload', async () => {
    tell('p7')
    tell('p8')
    tell('p7')
    await until(() => names().length === 2)
    expect(names()).toEqual(['p7', 'p8'])
    expect(core.chats.value).toEqual([])
    expect(core.unread.value).toBe(0)
    core.dismissAdded('p7')
    expect(names()).toEqual(['p8'])
    await rest(10)
    const again = await loadCore()
    await until(() => again.addedKnown.value)
    expect(names(again)).toEqual(['p8'])
  })

  it('ends where they became a contact on another device', async () => {
    tell('p7')
    await until(() => names().length === 1)
    people = ['p7']
    site.server.connection.say({ type: 'contacts', version: 1 })
    await until(() => names().length === 0)
  })
})
