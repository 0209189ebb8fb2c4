import { beforeEach, describe, expect, it } from 'vitest'
import { rest, until } from '../testing/clock'
import { freshProfile, TestDevice } from '../testing/device'
import { FakeServer } from '../testing/server'
import { parseFrame } from './line'

let server: FakeServer
beforeEach(() => {
  freshProfile()
  server = new FakeServer()
})

async function online(): Promise<TestDevice> {
  const d = await TestDevice.start(server)
  await d.online()
  return d
}

describe('a lost connection', () => {
  it('is dialled again with growing delays, and at once for the person', async () => {
    const d = await online()
    server.down = true
    server.connection.end(1001)
    const dials: number[] = []
    for (let i = 0; i < 40; i++) {
      const before = server.connections.length
      await rest(2)
      d.clock.pass(1_000)
      await rest(2)
      if (server.connections.length > before) dials.push(i)
    }
    const gaps = dials.slice(1).map((t, i) => t - (dials[i] ?? 0))
    expect(dials.length).toBeGreaterThan(4)
    expect(gaps.at(-1)).toBeGreaterThan(5)
    expect(d.told.connection.at(-1)).toBe('offline')
    server.down = false
    d.engine.retryNow()
    await d.online()
  })

  it('is given up when it does not open within 6 s', async () => {
    server.mute = true
    const d = await TestDevice.start(server)
    await rest()
    d.clock.pass(5_999)
    expect(server.connections).toHaveLength(1)
    server.mute = false
    d.clock.pass(1_000)
    await d.online()
    expect(server.connections[0]?.closedByClient).toBe(true)
    expect(server.connections).toHaveLength(2)
  })

  it('is given up when no welcome comes within 6 s', async () => {
    server.silent = true
    const d = await TestDevice.start(server)
    await until(() => server.sent('hello').length === 1)
    d.clock.pass(5_999)
    expect(server.connections).toHaveLength(1)
    server.silent = false
    d.clock.pass(1_000)
    await d.online()
    expect(server.connections).toHaveLength(2)
  })

  it('is noticed when the device comes back to the screen', async () => {
    const d = await online()
    const dead = server.connection
    server.mute = true
    d.engine.wake()
    expect(server.sent('ping')).toHaveLength(1)
    d.clock.pass(4_999)
    expect(server.connections).toHaveLength(1)
    server.mute = false
    d.clock.pass(1_000)
    await d.online()
    await until(() => server.connections.length === 2)
    expect(dead.closedByClient).toBe(true)
  })

  it('stays when it answers', async () => {
    const d = await online()
    d.engine.wake()
    await rest()
    d.clock.pass(6_000)
    await rest()
    expect(server.connections).toHaveLength(1)
  })

  it('is noticed when a message gets no answer', async () => {
    const d = await online()
    server.mute = true
    await d.send('anybody there?')
    await until(() => server.sent('send').length === 1)
    d.clock.pass(5_000)
    expect(server.sent('ping').length).toBeGreaterThan(0)
    server.mute = false
    d.clock.pass(6_000)
    await d.hasTexts('anybody there?')
  })

  it('is asked for a sign of life after 20 s of silence', async () => {
    const d = await online()
    d.clock.pass(21_000)
    expect(server.sent('ping')).toHaveLength(1)
    await rest()
    d.clock.pass(10_000)
    await rest()
    expect(server.connections).toHaveLength(1)
  })

  it('is given up 25 s after its last word, whenever that was', async () => {
    const d = await online()
    d.clock.pass(15_000)
    server.connection.say({ type: 'gap' })
    await rest()
    const dead = server.connection
    server.mute = true
    d.clock.pass(20_500)
    expect(server.sent('ping').length).toBeGreaterThan(0)
    server.mute = false
    d.clock.pass(6_000)
    await until(() => server.connections.length === 2)
    expect(dead.closedByClient).toBe(true)
  })
})

describe('close codes', () => {
  it.each([
    ['1001: the server stops', 1001, 1_000, 2],
    ['4408: no hello in time', 4408, 1_000, 2],
    ['4413: frame too large', 4413, 1_000, 2],
    ['4429: too many frames, at first', 4429, 59_000, 1],
    ['4429: too many frames, after a minute', 4429, 61_000, 2],
    ['4400: malformed, at first', 4400, 59_000, 1],
    ['4409: another socket of this device', 4409, 600_000, 1],
    ['4401: the session has ended', 4401, 600_000, 1],
    ['4426: too old, at first', 4426, 60_000, 1],
  ])('%s', async (_, code, ms, connections) => {
    const d = await online()
    server.connection.end(code)
    await rest(5)
    d.clock.pass(ms)
    await rest(5)
    expect(server.connections).toHaveLength(connections)
  })

  it('4401 ends the session', async () => {
    const d = await online()
    server.connection.say({ type: 'signed-out', reason: 'disabled' })
    await until(() => d.told.ended.length > 0)
    server.connection.end(4401)
    await rest()
    expect(d.told.ended).toEqual(['disabled'])
  })

  it('4426 asks for an update and keeps the queue', async () => {
    const d = await online()
    server.connection.end(4426)
    await until(() => d.told.other.includes('outdated'))
    await d.send('later')
    expect(await d.waiting()).toHaveLength(1)
  })

  it('4413 gives up the message that was too large', async () => {
    const d = await online()
    server.swallowAnswers = true
    await d.send('monster')
    await until(() => server.sent('send').length === 1)
    server.connection.end(4413)
    await until(async () => (await d.waiting())[0]?.failed === 'message.too-large')
  })

  it('an upgrade that the server refuses for the session ends it', async () => {
    server.down = true
    server.sessionEnded = true
    const d = await TestDevice.start(server)
    await until(() => d.told.ended.length > 0)
    expect(d.told.ended).toEqual(['expired'])
  })
})

describe('parseFrame', () => {
  it.each([
    ['an event', '[{"type":"pong"}]', 1],
    ['several', '[{"type":"pong"},{"type":"gap"}]', 2],
    ['nothing', '[]', 0],
    ['an object', '{"type":"pong"}', 0],
    ['no JSON', 'pong', 0],
    ['members without type', '[null,1,{"kind":"pong"},{"type":"pong"}]', 1],
  ])('%s', (_, text, count) => {
    expect(parseFrame(text)).toHaveLength(count)
  })
})
