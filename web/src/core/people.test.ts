import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'
import type { Card, PersonRow } from './wire'

const grace: PersonRow = { id: 'p7', display_name: 'Grace', address: 'grace@parley.test', photo: 'v1' }

let site: FakeSite
let answers: Map<string, unknown>
let asked: string[]
let core: Core

beforeEach(async () => {
  freshProfile()
  site = new FakeSite()
  stubPage(site)
  asked = []
  const card: Card = { ...grace, mail: 'g@parley.test', manager: { id: 'p8', display_name: 'Boss', address: 'b@parley.test' } }
  answers = new Map<string, unknown>([
    ['/api/people/p7', card],
    ['/api/people', { people: [grace], more: true }],
  ])
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const path = new URL(url, 'https://parley.test').pathname
    const answer = answers.get(path)
    if (answer === undefined || site.down) return site.fetch(url, init)
    asked.push(path)
    return Response.json(answer)
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

describe('people', () => {
  it('are asked for once and shown without the network afterwards', async () => {
    const row = core.person('p7')
    expect(row.value).toBeUndefined()
    await until(() => row.value !== undefined)
    core.person('p7')
    await rest(5)
    expect(asked).toEqual(['/api/people/p7'])
    site.down = true
    const again = await loadCore()
    const kept = again.person('p7')
    await until(() => kept.value?.display_name === 'Grace')
  })

  it('are learned from every answer that names them', async () => {
    const found = await core.search('gra')
    expect(found).toEqual({ people: [grace], groups: [], more: true })
    expect(core.person('p7').value?.display_name).toBe('Grace')
    await core.card('p7')
    expect(core.person('p8').value?.display_name).toBe('Boss')
    await rest(5)
    expect(asked).toEqual(['/api/people', '/api/people/p7'])
  })

  it('are asked for again when the server says that a card changed', async () => {
    const row = core.person('p7')
    await until(() => row.value !== undefined)
    answers.set('/api/people/p7', { ...grace, display_name: 'Grace H.' })
    site.server.connection.say({ type: 'card', person: 'p7' })
    await until(() => row.value?.display_name === 'Grace H.')
  })

  it('that are withheld stay unknown and are not asked for again', async () => {
    const row = core.person('p99')
    await until(() => site.calls.includes('GET /api/people/p99'))
    core.person('p99')
    await rest(5)
    expect(row.value).toBeUndefined()
    expect(site.calls.filter((c) => c === 'GET /api/people/p99')).toHaveLength(1)
  })

  it('have a picture only where they have one', () => {
    expect(core.photoUrl(grace, 'small')).toBe('/api/people/p7/photo?size=small&v=v1')
    expect(core.photoUrl({ id: 'p7', display_name: '', address: '' }, 'small')).toBeUndefined()
  })
})

describe('presence', () => {
  it('is watched for all screens together, the own one always', async () => {
    core.watch('list', ['p7'])
    core.watch('chat', ['p7', 'p8'])
    await until(() => JSON.stringify(site.server.sent('watch').at(-1)?.people) === '["p7","p8","p1"]')
    core.watch('chat', [])
    await until(() => JSON.stringify(site.server.sent('watch').at(-1)?.people) === '["p7","p1"]')
  })

  it('is unknown when it is withheld, unwatched or out of date', async () => {
    const available = { availability: 3500 }
    core.watch('list', ['p7', 'p8'])
    await until(() => site.server.sent('watch').at(-1)?.people.length === 3)
    const say = (presence?: { availability: number }): void =>
      site.server.connection.say({ type: 'presence', person: 'p7', presence }, { type: 'presence', person: 'p8', presence: available })
    say(available)
    await until(() => core.presence('p7').value?.availability === 3500)
    say()
    await until(() => core.presence('p7').value === undefined)
    say(available)
    await until(() => core.presence('p7').value !== undefined)
    core.watch('list', ['p8'])
    await until(() => core.presence('p7').value === undefined)
    expect(core.presence('p8').value).toEqual(available)
    await core.signOut()
    expect(core.presence('p8').value).toBeUndefined()
  })
})
