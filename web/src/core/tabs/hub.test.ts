import { beforeEach, describe, expect, it } from 'vitest'
import { fromBase64, textOf } from '../bytes'
import { History } from '../store/history'
import { rest, until } from '../testing/clock'
import { freshProfile } from '../testing/device'
import { FakeServer } from '../testing/server'
import { Browser, type Tab } from '../testing/tabs'

let server: FakeServer
let browser: Browser
beforeEach(() => {
  freshProfile()
  server = new FakeServer()
  browser = new Browser(server)
})

const onServer = (): string[] => server.log.map((e) => textOf(fromBase64(e.body) ?? new Uint8Array()) ?? '')

async function texts(tab: Tab): Promise<string[]> {
  const history = new History(tab.db, 'p1', () => undefined)
  return (await history.after('p1.p2', 0)).map((m) => m.text ?? '')
}

const online = (tab: Tab): Promise<void> => until(() => tab.state === 'online', 'online')

describe('two tabs', () => {
  it('have one socket, and both hear what happens', async () => {
    const a = await browser.tab()
    await online(a)
    const b = await browser.tab()
    await online(b)
    expect([a.hub.isOwner, b.hub.isOwner]).toEqual([true, false])
    expect(server.connections).toHaveLength(1)
    expect(server.sent('hello')).toMatchObject([{ active: true }]) // who signs in is there
    server.write('hello both')
    await until(() => b.news.some((n) => n.news === 'changed' && n.conversations.includes('p1.p2')))
    expect(await texts(b)).toEqual(['hello both'])
    server.connection.say({ type: 'presence', person: 'p2', presence: { availability: 3500 } })
    await until(() => [a, b].every((t) => t.news.some((n) => n.news === 'presence')))
  })

  it('send through the owner, each message once and in order', async () => {
    const a = await browser.tab()
    const b = await browser.tab()
    await online(b)
    await a.send('from a')
    await b.send('from b')
    await a.send('again a')
    await until(() => server.log.length === 3)
    expect(onServer()).toEqual(['from a', 'from b', 'again a'])
    await until(async () => (await b.queue.all()).length === 0)
    expect(await texts(a)).toEqual(['from a', 'from b', 'again a'])
  })

  it('lose nothing that a follower sent when the owner dies', async () => {
    const a = await browser.tab()
    const b = await browser.tab()
    await online(b)
    server.swallowAnswers = true
    await b.send('on the edge')
    await until(() => server.sent('send').length === 1)
    server.swallowAnswers = false
    a.hub.stop()
    await until(() => b.hub.isOwner)
    await until(async () => (await texts(b)).includes('on the edge'))
    expect(onServer()).toEqual(['on the edge'])
    expect(await b.queue.all()).toEqual([])
  })

  it('repeat to the next owner what the last one did not do', async () => {
    server.append({ text: 'read me' })
    const a = await browser.tab()
    await until(async () => (await texts(a)).length === 1)
    const b = await browser.tab()
    await online(b)
    await rest(5)
    a.hub.stop()
    await b.hub.command({ do: 'read', conversation: 'p1.p2', position: 1 })
    await until(() => server.sent('read').length === 1)
  })

  it('take the store from an owner that the browser has frozen', async () => {
    const a = await browser.tab()
    await online(a)
    // Frozen: it hears nothing and says nothing, but it still holds the lock.
    Object.assign(a.hub, { heard: () => undefined, sayStatus: () => undefined })
    const b = await browser.tab()
    await rest()
    expect(b.hub.isOwner).toBe(false)
    browser.clock.pass(4_000)
    await until(() => b.hub.isOwner)
    server.write('to the new owner')
    await until(async () => (await texts(b)).includes('to the new owner'))
    expect(a.hub.isOwner).toBe(false)
  })

  it('do not take the store for a tab that nobody sees', async () => {
    const a = await browser.tab()
    await online(a)
    Object.assign(a.hub, { heard: () => undefined })
    const b = await browser.tab({ visible: false })
    await rest()
    browser.clock.pass(10_000)
    await rest()
    expect(b.hub.isOwner).toBe(false)
    b.hub.setStatus({ visible: true })
    b.hub.wake()
    browser.clock.pass(4_000)
    await until(() => b.hub.isOwner)
  })

  it('watch together, and count as seen when one of them is', async () => {
    const a = await browser.tab({ watch: ['p1', 'p2'], visible: false })
    await online(a)
    const b = await browser.tab({ watch: ['p1', 'p3'] })
    await online(b)
    await until(() => server.sent('watch').length > 1)
    expect(server.sent('watch').at(-1)?.people).toEqual(['p1', 'p3', 'p2'])
    expect(server.sent('activity').at(-1)).toMatchObject({ visible: true, active: true })
    b.hub.stop()
    await until(() => server.sent('watch').at(-1)?.people.length === 2)
    expect(server.sent('activity').at(-1)).toMatchObject({ visible: false })
  })

  it('tell a tab that comes later what it has missed', async () => {
    const a = await browser.tab()
    await online(a)
    server.connection.say({ type: 'presence', person: 'p2', presence: { availability: 6500 } })
    await until(() => a.news.some((n) => n.news === 'presence'))
    const b = await browser.tab()
    await until(() => b.news.some((n) => n.news === 'presence' && n.presence?.availability === 6500))
  })

  it('remove a conversation in one, gone in both', async () => {
    server.append({ text: 'bye' })
    const a = await browser.tab()
    await until(async () => (await texts(a)).length === 1)
    const b = await browser.tab()
    await online(b)
    await b.hub.command({ do: 'remove', conversations: ['p1.p2'] })
    expect(await texts(b)).toEqual([])
    await until(() => a.news.filter((n) => n.news === 'changed').length > 1)
    expect(a.hub.isOwner).toBe(true)
  })
})

describe('one tab', () => {
  it('says in the first frame that somebody is there, and not when nobody was for long', async () => {
    const a = await browser.tab()
    await online(a)
    expect(server.sent('hello')[0]).toMatchObject({ active: true, visible: true })
    a.hub.stop()
    browser.clock.pass(301_000)
    a.hub.start()
    await until(() => server.sent('hello').length === 2)
    expect(server.sent('hello')[1]).toMatchObject({ active: false, visible: true })
  })

  it('joins again after it was put aside', async () => {
    const a = await browser.tab()
    await online(a)
    a.hub.stop()
    await rest()
    server.append({ text: 'meanwhile' })
    a.hub.start()
    await until(async () => (await texts(a)).includes('meanwhile'))
    expect(server.connections).toHaveLength(2)
  })

  it('says so when the store fails, and goes on when it works again', async () => {
    const a = await browser.tab()
    await online(a)
    const write = a.db.ownerWrite.bind(a.db)
    a.db.ownerWrite = async () => {
      throw new Error('disk')
    }
    server.write('one')
    await until(() => a.news.some((n) => n.news === 'trouble'))
    a.db.ownerWrite = write
    browser.clock.pass(5_000)
    await until(async () => (await texts(a)).includes('one'))
  })
})
