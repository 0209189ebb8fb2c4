import { beforeEach, describe, expect, it } from 'vitest'
import { toBase64, utf8 } from '../bytes'
import { rest, until } from '../testing/clock'
import { freshProfile, TestDevice } from '../testing/device'
import { FakeServer, problem } from '../testing/server'

let server: FakeServer
beforeEach(() => {
  freshProfile()
  server = new FakeServer()
})

const acks = (): string[] => server.sent('ack').map((f) => f.cursor)
const sends = (): string[] => server.sent('send').map((f) => f.client_id)

describe('hello', () => {
  it('says where the device is and who is there', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    expect(server.sent('hello')).toEqual([
      { type: 'hello', protocol: 1, build: 'test', cursor: '', visible: true, active: true, time_zone: 'Europe/Berlin' },
    ])
    expect(server.marksAsked).toEqual([''])
  })

  it('goes on where the last run ended', async () => {
    server.append({ text: 'one' })
    const first = await TestDevice.start(server)
    await first.hasTexts('one')
    first.die()
    server.append({ text: 'two' })
    const second = await TestDevice.start(server)
    await second.hasTexts('one', 'two')
    expect(server.sent('hello').at(-1)?.cursor).toBe('epoch1-1')
    expect(server.syncsAsked).toEqual([])
  })

  it('stops when the socket is somebody else’s', async () => {
    server.person = 'p9'
    const d = await TestDevice.start(server)
    await until(() => d.told.other.includes('stranger'))
    d.clock.pass(600_000)
    await rest()
    expect(server.connections).toHaveLength(1)
  })
})

describe('the log', () => {
  it('is applied in its order and acknowledged once a batch', async () => {
    for (const text of ['one', 'two', 'three']) server.append({ text })
    const d = await TestDevice.start(server)
    await d.hasTexts('one', 'two', 'three')
    await until(() => acks().length > 0)
    expect(acks()).toEqual(['epoch1-3'])
  })

  it('counts what is unread, and an answer from another device reads it', async () => {
    server.append({ text: 'one' })
    server.append({ text: 'two' })
    const d = await TestDevice.start(server)
    await d.hasTexts('one', 'two')
    expect(d.history.list.get('p1.p2')?.unread).toHaveLength(2)
    server.write('my answer', { from: 'p1' })
    await d.hasTexts('one', 'two', 'my answer')
    expect(d.history.list.get('p1.p2')?.unread).toHaveLength(0)
  })

  it('keeps one copy of an entry that comes twice', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    const e = server.write('once')
    await d.hasTexts('once')
    server.connection.say({ ...e, prev: '' })
    server.write('next')
    await d.hasTexts('once', 'next')
    expect(server.syncsAsked).toEqual([])
  })

  it('keeps one copy of a message that has two entries', async () => {
    server.append({ text: 'once', client_id: 'same' })
    server.append({ text: 'once', client_id: 'same' })
    server.append({ text: 'after' })
    const d = await TestDevice.start(server)
    await d.hasTexts('once', 'after')
    await until(() => acks().at(-1) === 'epoch1-3')
  })

  it('fills a gap by a sync, then resumes', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    server.append({ text: 'lost on the way' })
    const e = server.append({ text: 'arrives' })
    server.connection.say({ ...e, prev: 'epoch1-1' })
    await d.hasTexts('lost on the way', 'arrives')
    expect(server.syncsAsked).toEqual([''])
    await until(() => server.sent('resume').length === 1)
    expect(server.sent('resume')[0]?.cursor).toBe('epoch1-2')
  })

  it('ignores entries of the socket while it syncs', async () => {
    server.pageSize = 1
    server.streamLimit = 1
    for (const text of ['one', 'two', 'three']) server.append({ text })
    const d = await TestDevice.start(server)
    await until(() => server.syncsAsked.length > 0)
    server.connection.say({ ...server.append({ text: 'four' }), prev: 'epoch1-3' })
    await d.hasTexts('one', 'two', 'three', 'four')
    expect(server.syncsAsked).toEqual(['', 'epoch1-1', 'epoch1-2', 'epoch1-3'])
    expect(server.sent('resume')).toHaveLength(1)
  })

  it('tells when messages were purged before the device came', async () => {
    server.streamLimit = 0
    server.append({ text: 'gone' })
    server.append({ text: 'kept' })
    server.purged = 1
    server.missed = true
    const d = await TestDevice.start(server)
    await d.hasTexts('kept')
    expect((await d.history.notices()).map((n) => n.kind)).toEqual(['missed'])
  })

  it('keeps content that it does not know', async () => {
    server.append({ content: 'poll.v3', body: toBase64(utf8('{"q":1}')) })
    server.append({ content: 'text.v1', body: toBase64(new Uint8Array([0xff, 0xfe])) })
    server.append({ kind: 'withdrawal', text: 'x' })
    const d = await TestDevice.start(server)
    await until(async () => (await d.stored()).length === 3)
    const [poll, broken, withdrawal] = await d.stored()
    expect(poll?.text).toBeUndefined()
    expect(poll?.body).toBe(toBase64(utf8('{"q":1}')))
    expect(broken?.text).toBeUndefined()
    expect(withdrawal?.kind).toBe('withdrawal')
    expect(d.history.list.get('p1.p2')?.last?.unknown).toBe(true)
  })

  it('survives frames that are no frames', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    const handlers = server.connection as unknown as { handlers: { frame(text: string): void } }
    for (const text of ['', 'null', '{}', '[null,1,"x",{},{"type":7},{"type":"of-tomorrow"}]', '[{"type":"entry"']) handlers.handlers.frame(text)
    server.write('still here')
    await d.hasTexts('still here')
  })
})

describe('another epoch', () => {
  it('keeps the history, keeps one copy, and sends the queue', async () => {
    server.append({ text: 'before' })
    const first = await TestDevice.start(server)
    await first.hasTexts('before')
    server.down = true
    server.connection.end(1001)
    await first.send('while away')
    first.die()
    server.restore()
    server.append({ text: 'after the restore' })
    server.down = false
    const d = await TestDevice.start(server)
    await d.hasTexts('before', 'after the restore', 'while away')
    expect(server.syncsAsked[0]).toBe('')
    expect(d.history.now.epoch).toBe('epoch1x')
    expect(await d.waiting()).toEqual([])
  })

  it('takes marks by the new ids of old entries', async () => {
    server.append({ text: 'mine', from: 'p1' })
    const first = await TestDevice.start(server)
    await first.hasTexts('mine')
    first.die()
    server.restore()
    const d = await TestDevice.start(server)
    await until(() => server.sent('resume').length === 1)
    server.connection.say({ type: 'delivered', conversation: 'p1.p2', person: 'p2', id: 'epoch1x-1' })
    await until(() => d.history.list.get('p1.p2')?.delivered['p2'] === 1)
  })
})

describe('sending', () => {
  it('moves an accepted message from the queue to the history', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    await d.send('hi')
    await d.hasTexts('hi')
    expect(await d.waiting()).toEqual([])
    expect(server.log).toHaveLength(1)
    await until(() => acks().includes('epoch1-1'))
    expect(d.told.flight).toEqual([])
  })

  it('sends one message of a conversation at a time, several conversations at once', async () => {
    server.swallowAnswers = true
    const d = await TestDevice.start(server)
    await d.online()
    const a1 = await d.queueText('a1', 'p1.p2')
    await d.queueText('a2', 'p1.p2')
    const b1 = await d.queueText('b1', 'p1.p3')
    await d.engine.queueChanged()
    await rest()
    expect(sends()).toEqual([a1, b1])
    expect(d.told.flight).toEqual([a1, b1])
  })

  it('keeps the order of the queue', async () => {
    const d = await TestDevice.start(server)
    for (let i = 0; i < 20; i++) await d.queueText(`m${i}`)
    await d.online()
    await d.engine.queueChanged()
    await d.hasTexts(...Array.from({ length: 20 }, (_, i) => `m${i}`))
  })

  it('does not send faster than the server wants', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    for (let i = 0; i < 150; i++) await d.queueText(`m${i}`, `p1.p${i + 2}`)
    await d.engine.queueChanged()
    await until(() => sends().length === 100)
    await rest()
    expect(sends()).toHaveLength(100)
    d.clock.pass(1_000)
    await until(() => sends().length === 125)
  })

  it('sends again, under the same id, what was not answered', async () => {
    server.swallowAnswers = true
    const d = await TestDevice.start(server)
    await d.online()
    const id = await d.send('hi')
    await until(() => server.log.length === 1)
    server.swallowAnswers = false
    server.connection.end(1006)
    await rest()
    d.clock.pass(1_000)
    await d.hasTexts('hi')
    expect(new Set(sends())).toEqual(new Set([id]))
    expect(server.log).toHaveLength(1)
    expect(await d.waiting()).toEqual([])
  })

  it('recognises its own entry that comes by sync while it waits', async () => {
    const d = await TestDevice.open(server)
    const id = await d.queueText('mine')
    server.append({ from: 'p1', client_id: id, text: 'mine', own_device: true })
    server.streamLimit = 0
    await d.engine.start()
    await d.hasTexts('mine')
    expect(await d.waiting()).toEqual([])
    expect(server.log).toHaveLength(1)
  })

  it('files a known message at the end when no sync brings it', async () => {
    const d = await TestDevice.open(server)
    const id = await d.queueText('long ago')
    server.append({ from: 'p1', client_id: id, text: 'long ago' })
    server.purged = 1
    await d.history.begin('d1', 'epoch1-1', 'epoch1', false)
    await d.engine.start()
    await d.hasTexts('long ago')
    expect(await d.waiting()).toEqual([])
    expect((await d.stored())[0]?.entry).toBeUndefined()
    expect(server.log).toHaveLength(1)
  })

  it('drops a known message that the history has', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    const id = await d.send('hi')
    await d.hasTexts('hi')
    await d.queueText('hi', 'p1.p2', id)
    await d.engine.queueChanged()
    await until(async () => (await d.waiting()).length === 0)
    await d.hasTexts('hi')
  })

  it('marks a message that the server never takes, and goes on with the next', async () => {
    server.refuse = (f) => (f.body === toBase64(utf8('bad')) ? problem('forbidden', 'never', 'message.forbidden') : undefined)
    const d = await TestDevice.start(server)
    await d.online()
    await d.queueText('bad')
    await d.queueText('good')
    await d.engine.queueChanged()
    await d.hasTexts('good')
    expect((await d.waiting()).map((q) => [q.text, q.failed])).toEqual([['bad', 'message.forbidden']])
    expect(sends()).toHaveLength(2)
  })

  it('holds a conversation whose message is refused for now, so that nothing overtakes', async () => {
    let full = true
    server.refuse = () => (full ? problem('full', 'later', 'error.full', 30) : undefined)
    const d = await TestDevice.start(server)
    await d.online()
    await d.queueText('first')
    await d.queueText('second')
    await d.engine.queueChanged()
    await until(() => sends().length === 1)
    await rest()
    d.clock.pass(29_000)
    await rest()
    expect(sends()).toHaveLength(1)
    full = false
    d.clock.pass(1_000)
    await d.hasTexts('first', 'second')
    expect(new Set(sends()).size).toBe(2)
  })

  it('tries at once when the person asks for it', async () => {
    let full = true
    server.refuse = () => (full ? problem('full', 'later', 'error.full', 300) : undefined)
    const d = await TestDevice.start(server)
    await d.online()
    await d.send('now')
    await until(() => sends().length === 1)
    await rest()
    full = false
    d.engine.retryNow()
    await d.hasTexts('now')
  })

  it('fetches an accepted message whose text is gone from the queue', async () => {
    server.swallowAnswers = true
    const d = await TestDevice.start(server)
    await d.online()
    const id = await d.send('sent, then deleted here')
    await until(() => server.log.length === 1)
    const [item] = await d.waiting()
    if (item) await d.queue.discard(item)
    await d.engine.queueChanged()
    server.connection.say({ type: 'accepted', prev: '', cursor: 'epoch1-1', conversation: 'p1.p2', client_id: id, at: '2026-11-22T10:00:00.000Z' })
    await d.hasTexts('sent, then deleted here')
  })
})

describe('when the store fails', () => {
  it('acknowledges nothing, and applies the entry once afterwards', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    const write = d.db.ownerWrite.bind(d.db)
    d.db.ownerWrite = async () => {
      throw new Error('disk')
    }
    server.write('one')
    await until(() => d.told.failures.length === 1)
    await rest()
    expect(acks()).toEqual([])
    expect(await d.texts()).toEqual([])
    d.db.ownerWrite = write
    d.clock.pass(10_000)
    await d.hasTexts('one')
    await until(() => acks().length === 1)
  })
})

describe('marks', () => {
  it('waits with a mark until its entry is here', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    server.connection.say({ type: 'delivered', conversation: 'p1.p2', person: 'p2', id: 'epoch1-1' })
    await rest()
    server.write('mine', { from: 'p1' })
    await until(() => d.history.list.get('p1.p2')?.delivered['p2'] === 1)
  })

  it('asks for what changed since it last knew', async () => {
    server.append({ text: 'one' })
    const first = await TestDevice.start(server)
    await first.hasTexts('one')
    await until(() => server.marksAsked.length === 1)
    first.die()
    server.append({ text: 'two', from: 'p1' })
    server.marksAnswer = { marks: [{ conversation: 'p1.p2', delivered: [{ person: 'p2', id: 'epoch1-2' }], read: 'epoch1-1' }] }
    const d = await TestDevice.start(server)
    await until(() => d.history.list.get('p1.p2')?.delivered['p2'] === 2)
    expect(server.marksAsked[1]).toBe('')
    d.die()
    await TestDevice.start(server)
    await until(() => server.marksAsked.length === 3)
    // The second run asked when it stood at the first entry, before the stream brought the second.
    expect(server.marksAsked[2]).toBe('epoch1-1')
  })

  it('reads on this device what was read on another', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    server.write('one')
    server.write('two')
    await d.hasTexts('one', 'two')
    server.connection.say({ type: 'read', conversation: 'p1.p2', id: 'epoch1-1' })
    await until(() => d.history.list.get('p1.p2')?.unread.length === 1)
  })

  it('tells the server what was read without a connection, until it has confirmed', async () => {
    server.append({ text: 'one' })
    const first = await TestDevice.start(server)
    await first.hasTexts('one')
    server.down = true
    server.connection.end(1006)
    await rest()
    await first.engine.read('p1.p2', 1)
    first.die()
    server.down = false
    const d = await TestDevice.start(server)
    await until(() => server.sent('read').length === 1)
    expect(server.sent('read')[0]).toEqual({ type: 'read', conversation: 'p1.p2', id: 'epoch1-1' })
    await until(() => d.history.list.get('p1.p2')?.unsent === false)
    d.die()
    const again = await TestDevice.start(server)
    await again.online()
    await rest()
    expect(server.sent('read')).toHaveLength(1)
  })
})

describe('watching and typing', () => {
  it('repeats the list of watched people on every connection', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    d.engine.watch(['p1', 'p2'])
    d.engine.watch(['p1', 'p2'])
    server.connection.end(1001)
    await rest()
    d.clock.pass(1_000)
    await until(() => server.sent('watch').length === 2)
    expect(server.sent('watch').map((f) => f.people)).toEqual([
      ['p1', 'p2'],
      ['p1', 'p2'],
    ])
  })

  it('repeats typing while it lasts and ends it when the keys rest', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    for (let i = 0; i < 8; i++) {
      d.engine.typing('p1.p2', true)
      d.clock.pass(1_000)
    }
    expect(server.sent('typing').map((f) => f.on)).toEqual([true, true])
    d.clock.pass(6_000)
    expect(server.sent('typing').map((f) => f.on)).toEqual([true, true, false])
  })

  it('tells presence, cards and typing of others, and ends typing with the message', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    server.connection.say(
      { type: 'presence', person: 'p2', presence: { availability: 3500 } },
      { type: 'card', person: 'p2' },
      { type: 'typing', conversation: 'p1.p2', person: 'p2', on: true },
    )
    server.write('done typing')
    await d.hasTexts('done typing')
    expect(d.presence).toEqual(['p2 3500'])
    expect(d.told.other).toContain('card p2')
    expect(d.typing).toEqual(['p1.p2 p2 true', 'p1.p2 p2 false'])
  })

  it('says hello as active within five minutes of the last touch, also after a redial', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    d.engine.activity({ visible: true, active: true, timeZone: 'Europe/Berlin' })
    d.engine.activity({ visible: true, active: false, timeZone: 'Europe/Berlin' }) // the flag is used up
    const redialAfter = async (ms: number): Promise<void> => {
      const greeted = server.sent('hello').length
      server.connection.end(1006)
      await until(() => d.told.connection.at(-1) !== 'online', 'the end of the connection')
      d.clock.pass(ms)
      d.engine.wake()
      await until(() => server.sent('hello').length > greeted, 'another hello')
      await d.online()
    }
    await redialAfter(4 * 60_000)
    expect(server.sent('hello').at(-1)?.active).toBe(true)
    await redialAfter(2 * 60_000)
    expect(server.sent('hello').at(-1)?.active).toBe(false)
  })

  it('says when the screen goes off, and nothing when nothing changed', async () => {
    const d = await TestDevice.start(server)
    await d.online()
    d.engine.activity({ visible: true, active: false, timeZone: 'Europe/Berlin' })
    d.engine.activity({ visible: false, active: false, timeZone: 'Europe/Berlin' })
    expect(server.sent('activity')).toEqual([{ type: 'activity', visible: false, active: false, time_zone: 'Europe/Berlin' }])
  })
})
