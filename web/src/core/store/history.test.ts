import { beforeEach, describe, expect, it } from 'vitest'
import { deriveKeys } from './seal'
import { Database, Deposed, deleteOthers, KeyMismatch } from './database'
import { HistoryWriter, type Arrival } from './writer'
import { read, result } from './idb'
import { Queue } from './queue'
import { databaseName, type MessageRecord } from './schema'
import { Shelf } from './shelf'
import { freshProfile, historyKey, testKeys } from '../testing/device'
import { rest } from '../testing/clock'

beforeEach(freshProfile)

interface Opened {
  db: Database
  history: HistoryWriter
  damaged: number[]
}

async function open(person = 'p1'): Promise<Opened> {
  const db = await Database.open(person, await testKeys(), () => undefined)
  await db.claim()
  const damaged: number[] = []
  const history = new HistoryWriter(db, person, () => damaged.push(1))
  await history.load()
  return { db, history, damaged }
}

const arrival = (i: number, more: Partial<Arrival> = {}): Arrival => ({
  conversation: 'p1.p2',
  at: '2026-11-22T10:00:00.000Z',
  from: 'p2',
  id: `id${i}`,
  entry: `e${i}`,
  content: 'text.v1',
  text: `text ${i}`,
  ...more,
})

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

async function fill(history: HistoryWriter, count: number): Promise<void> {
  for (let at = 1; at <= count; at += 50) {
    const last = Math.min(count, at + 49)
    const changed = await history.apply({ arrivals: numbers(at, last).map((i) => arrival(i)), cursor: `e${last}` })
    for (const c of changed) while (await history.pack(c));
  }
}

const all = async <T>(db: Database, store: string): Promise<T[]> =>
  result(read(db.idb, store).objectStore(store).getAll() as IDBRequest<T[]>)

describe('the history', () => {
  it('packs what is older and gives everything back in order', async () => {
    const { db, history } = await open()
    await fill(history, 500)
    const loose = await all(db, 'messages')
    expect((await all(db, 'pages')).length).toBe(6)
    expect(loose.length).toBe(500 - 6 * 64)
    const got: number[] = []
    let before = Infinity
    for (;;) {
      const page = await history.before('p1.p2', before)
      if (page.length === 0) break
      expect(page.length).toBeLessThanOrEqual(64)
      got.unshift(...page.map((m) => m.s))
      before = page[0]?.s ?? 0
    }
    expect(got).toEqual(numbers(1, 500))
  })

  it.each([0, 1, 63, 64, 65, 200, 384, 385, 499, 500, 501])('gives what came after %i', async (position) => {
    const { history } = await open()
    await fill(history, 500)
    expect((await history.after('p1.p2', position)).map((m) => m.s)).toEqual(numbers(position + 1, 500))
  })

  it('keeps one copy, also of what is in a page', async () => {
    const { history } = await open()
    await fill(history, 200)
    await history.apply({ arrivals: [arrival(3, { entry: 'new3' }), arrival(200), arrival(201)], cursor: 'e201' })
    expect((await history.after('p1.p2', 0)).map((m) => m.id)).toEqual(numbers(1, 201).map((i) => `id${i}`))
  })

  it('keeps conversations apart whose names begin alike', async () => {
    const { history } = await open()
    await history.apply({ arrivals: [arrival(1, { conversation: 'p1.p2' }), arrival(2, { conversation: 'p1.p22' }), arrival(3, { conversation: 'g1' })] })
    expect((await history.after('p1.p2', 0)).map((m) => m.id)).toEqual(['id1'])
    expect((await history.before('p1.p22', Infinity)).map((m) => m.id)).toEqual(['id2'])
  })

  it('leaves out what is damaged and says so', async () => {
    const { db, history, damaged } = await open()
    await history.apply({ arrivals: [arrival(1), arrival(2), arrival(3)] })
    const [first, second] = await all<MessageRecord>(db, 'messages')
    if (!first || !second) throw new Error('no records')
    // A record in another one's place does not open either.
    await db.ownerWrite(['messages'], (tx) => tx.objectStore('messages').put({ ...second, box: first.box }))
    expect((await history.after('p1.p2', 0)).map((m) => m.id)).toEqual(['id1', 'id3'])
    expect(damaged.length).toBe(1)
  })

  it('removes a conversation, and a resync does not bring it back', async () => {
    const { db, history } = await open()
    await fill(history, 200)
    await history.apply({ arrivals: [arrival(300, { conversation: 'p1.p3' })] })
    await new Shelf(db).setDraft('p1.p2', 'half a thought')
    await history.remove(['p1.p2'], [])
    await history.apply({ arrivals: [arrival(7), arrival(150)] })
    expect(await history.after('p1.p2', 0)).toEqual([])
    expect((await history.chats()).map((c) => c.conversation)).toEqual(['p1.p3'])
    expect(await new Shelf(db).draft('p1.p2')).toBe('')
    await history.apply({ arrivals: [arrival(301)] })
    expect((await history.after('p1.p2', 0)).map((m) => m.id)).toEqual(['id301'])
  })

  it('begins at the head for a new device and says so once', async () => {
    const { history } = await open()
    await history.apply({ arrivals: [arrival(1)], cursor: 'e1', epoch: 'x' })
    await history.begin('d1', 'e1', 'x', false)
    await history.begin('d2', 'e9', 'x', true)
    await history.begin('d2', 'e50', 'x', true)
    expect(history.now.cursor).toBe('e9')
    expect((await history.notices()).map((n) => [n.kind, n.s])).toEqual([['head', 2]])
  })

  it('counts unread and reads up to a position', async () => {
    const { history } = await open()
    await history.apply({ arrivals: [arrival(1), arrival(2), arrival(3)] })
    expect(await history.readUpTo('p1.p2', 2)).toBe(true)
    expect(await history.readUpTo('p1.p2', 2)).toBe(false)
    expect(history.list.get('p1.p2')?.unread).toEqual([3])
    expect(await history.readEntry('p1.p2')).toBe('e2')
  })
})

describe('the send queue', () => {
  it('loses message, cursor or place in the queue together or not at all', async () => {
    const { db, history } = await open()
    const queue = new Queue(db, () => undefined)
    await queue.add({ conversation: 'p1.p2', at: 'now', id: 'mine', content: 'text.v1', text: 'hi' })
    const [item] = await queue.all()
    const write = db.ownerWrite.bind(db)
    db.ownerWrite = (stores, fillIt) =>
      write(stores, (tx) => {
        fillIt(tx)
        tx.abort()
      })
    await expect(history.apply({ arrivals: [arrival(1, { queued: item?.n })], cursor: 'e1' })).rejects.toThrow()
    expect(await history.after('p1.p2', 0)).toEqual([])
    expect(await queue.all()).toHaveLength(1)
    expect((await history.place()).cursor).toBe('')
    db.ownerWrite = write
    await history.apply({ arrivals: [arrival(1, { queued: item?.n })], cursor: 'e1' })
    expect(await history.after('p1.p2', 0)).toHaveLength(1)
    expect(await queue.all()).toEqual([])
  })

  it('keeps its order over tabs and takes the draft', async () => {
    const { db } = await open()
    const other = await Database.open('p1', await testKeys(), () => undefined)
    const [a, b] = [new Queue(db, () => undefined), new Queue(other, () => undefined)]
    await new Shelf(db).setDraft('p1.p2', 'one')
    for (const [queue, text] of [[a, 'one'], [b, 'two'], [a, 'three']] as const) {
      await queue.add({ conversation: 'p1.p2', at: 'now', id: text, content: 'text.v1', text })
    }
    expect((await b.all()).map((q) => q.text)).toEqual(['one', 'two', 'three'])
    expect(await new Shelf(other).drafts()).toEqual([])
  })

  it('marks, tries again and discards', async () => {
    const { db } = await open()
    const queue = new Queue(db, () => undefined)
    await queue.add({ conversation: 'p1.p2', at: 'now', id: 'x', content: 'text.v1', text: 'hi' })
    const at = async (): Promise<ReturnType<Queue['all']>> => queue.all()
    const item = (await at())[0]
    if (!item) throw new Error('nothing in the queue')
    await queue.fail(item, 'message.forbidden')
    expect((await at())[0]?.failed).toBe('message.forbidden')
    await queue.retry({ ...item, failed: 'message.forbidden' })
    expect((await at())[0]?.failed).toBeUndefined()
    await queue.discard(item)
    // A failure that comes late does not bring it back.
    await queue.fail(item, 'message.forbidden')
    expect(await at()).toEqual([])
  })
})

describe('the database', () => {
  it('holds no text, name or id of a person in clear', async () => {
    const { db, history } = await open()
    await fill(history, 200)
    const queue = new Queue(db, () => undefined)
    await queue.add({ conversation: 'p1.p2', at: 'now', id: 'mine', content: 'text.v1', text: 'CANARY queue' })
    const shelf = new Shelf(db)
    await shelf.setDraft('p1.p2', 'CANARY draft')
    await shelf.put(new Map([['person/p77', { display_name: 'CANARY name' }]]))
    await history.apply({ arrivals: [arrival(900, { text: 'CANARY message', from: 'p77' })], notice: 'missed' })
    const decoder = new TextDecoder('latin1')
    for (const store of db.idb.objectStoreNames) {
      const [values, keys] = await Promise.all([all(db, store), result(read(db.idb, store).objectStore(store).getAllKeys())])
      const raw = JSON.stringify([values, keys], (_, v: unknown) => (v instanceof Uint8Array ? decoder.decode(v) : v))
      for (const secret of ['CANARY', 'text 1', 'p77', 'id900', 'text.v1']) expect(raw, store).not.toContain(secret)
    }
    expect(await shelf.get('person/p77')).toEqual({ display_name: 'CANARY name' })
  })

  it('refuses another key and leaves everything as it is', async () => {
    const { db, history } = await open()
    await history.apply({ arrivals: [arrival(1)] })
    db.close()
    const other = await deriveKeys(historyKey(8))
    await expect(Database.open('p1', other, () => undefined)).rejects.toBeInstanceOf(KeyMismatch)
    const again = await open()
    expect(await again.history.after('p1.p2', 0)).toHaveLength(1)
  })

  it('lets only the last owner write', async () => {
    const first = await open()
    await first.history.apply({ arrivals: [arrival(1)] })
    const second = await open()
    await expect(first.history.apply({ arrivals: [arrival(2)] })).rejects.toBeInstanceOf(Deposed)
    await second.history.apply({ arrivals: [arrival(3)] })
    expect((await second.history.after('p1.p2', 0)).map((m) => [m.s, m.id])).toEqual([
      [1, 'id1'],
      [2, 'id3'],
    ])
  })

  it('is deleted with everybody else’s, and a tab that holds it open lets go', async () => {
    const taken: string[] = []
    await Database.open('p1', await testKeys(), (how) => taken.push(how))
    await open('p2')
    await deleteOthers('p2', ['p1'])
    await rest(2)
    expect(taken).toEqual(['deleted'])
    expect((await indexedDB.databases()).map((d) => d.name)).toEqual([databaseName('p2')])
  })
})
