import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { problem } from './testing/server'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'
import type { DirectoryGroup } from './wire'

const row = (n: number) => ({ id: `p${n}`, display_name: `P ${n}`, address: `p${n}@parley.test` })
const list = (id: string, people: number[], groups: string[] = [], more = false): DirectoryGroup => ({
  id,
  name: `Group ${id}`,
  people: people.map(row),
  groups: groups.map((g) => ({ id: g, name: g })),
  more,
})

let site: FakeSite
let core: Core
let answers: Record<string, DirectoryGroup>

beforeEach(async () => {
  freshProfile()
  answers = {}
  site = new FakeSite()
  stubPage(site)
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const { pathname, searchParams } = new URL(url, 'https://parley.test')
    const answer = answers[`${pathname.split('/').at(-1)}${searchParams.get('after') ?? ''}`]
    return answer && !site.down ? Response.json(answer) : site.fetch(url, init)
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

describe('everybody in a group', () => {
  it('is each person once, through pages, groups in groups and circles, without oneself', async () => {
    answers = { dg1: list('dg1', [1, 2, 3], ['dg2'], true), dg1p3: list('dg1', [4], ['dg2']), dg2: list('dg2', [3, 5], ['dg1']) }
    expect(await core.recipients('dg1')).toEqual({ name: 'Group dg1', people: ['p2', 'p3', 'p4', 'p5'] })
    await rest(10)
    site.down = true
    expect((await core.recipients('dg1')).people).toHaveLength(4)
  })

  it('is counted no further than a message may go', async () => {
    answers = { dg1: list('dg1', Array.from({ length: 150 }, (_, i) => i + 2), ['dg2']) }
    expect((await core.recipients('dg1')).people).toHaveLength(core.mostRecipients + 1)
    await expect(core.sendToAll(Array.from({ length: 101 }, (_, i) => `p${i + 2}`), 'x')).rejects.toMatchObject({ key: 'message.too-many-people' })
  })
})

describe('a message to many', () => {
  it('goes to each in the conversation of two, and says who does not get it', async () => {
    site.server.refuse = (frame) => (frame.conversation === 'p1.p3' ? problem('forbidden', 'never', 'message.forbidden') : undefined)
    const progress = await core.sendToAll(['p2', 'p3', 'p4'], 'Tea at four')
    await until(() => progress.value.sent === 2 && progress.value.failed.length === 1)
    expect(progress.value).toEqual({ total: 3, sent: 2, failed: [{ person: 'p3', reason: 'message.forbidden' }] })
    expect(site.server.sent('send').map((f) => f.conversation).sort()).toEqual(['p1.p2', 'p1.p3', 'p1.p4'])
  })

  it('waits without the network, outlives a reload, and takes no draft', async () => {
    const chat = core.openChat('p1.p2')
    await chat.loaded
    chat.setDraft('half a sentence')
    chat.close()
    await until(() => core.chats.value.some((c) => c.draft))
    site.server.mute = true
    site.server.connection.close()
    const progress = await core.sendToAll(['p2', 'p3'], 'Later')
    expect(progress.value.sent).toBe(0)
    const again = await loadCore()
    await until(() => again.chats.value.length === 2)
    expect(again.chats.value.map((c) => [c.conversation, c.text, c.draft]).sort()).toEqual([['p1.p2', 'Later', true], ['p1.p3', 'Later', false]])
  })

  it('needs words', async () => {
    await expect(core.sendToAll(['p2'], ' ')).rejects.toMatchObject({ key: 'message.empty' })
  })
})
