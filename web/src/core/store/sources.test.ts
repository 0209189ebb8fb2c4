import { beforeEach, describe, expect, it } from 'vitest'
import { freshProfile, testKeys } from '../testing/device'
import { Database, deleteOthers } from './database'
import { read, result } from './idb'
import { databaseName, migrations, type CardItem, type SourceItem, type SourceRecord } from './schema'
import { SourceStore } from './sources'

beforeEach(freshProfile)

const open = async (person = 'p1'): Promise<Database> => Database.open(person, await testKeys(), () => undefined)
const source: SourceItem = { id: 'aaaaaaaaaaaaaaaaaaaaaa', kind: 'device', name: 'CANARY source', on: true, pages: 0, count: 0, skipped: 0, at: '' }
const cards = (n: number): CardItem[] => Array.from({ length: n }, (_, i) => ({ id: `c${i}`, name: `CANARY ${i}`, mails: [`c${i}@canary.example`] }))

const raw = async (db: Database): Promise<SourceRecord[]> =>
  (await result(read(db.idb, 'sources').objectStore('sources').getAll())) as SourceRecord[]

describe('sources', () => {
  it('are kept sealed, page by page, and read again', async () => {
    const db = await open()
    const store = new SourceStore(db)
    expect(await store.all()).toEqual({ list: [], decisions: { apart: [], together: [] }, cards: new Map() })
    const list = await store.setCards(() => ({ ...source, password: 'CANARY secret' }), () => cards(600))
    await store.decide(() => ({ apart: [['device:c1', 'directory:p2']], together: [] }))
    db.close()
    const again = await open()
    const opened = new SourceStore(again)
    const kept = await opened.all()
    expect(kept.list).toEqual(list)
    expect(kept.cards.get(source.id)).toEqual(cards(600))
    expect(kept.decisions.apart).toEqual([['device:c1', 'directory:p2']])
    for (const { k, box } of await raw(again)) {
      expect(k).not.toMatch(/canary/i)
      expect(new TextDecoder('latin1').decode(box)).not.toMatch(/canary/i)
    }
    again.close()
  })

  it('replace what they held, and leave nothing when they are removed', async () => {
    const db = await open()
    const store = new SourceStore(db)
    const other: SourceItem = { ...source, id: 'bbbbbbbbbbbbbbbbbbbbbb' }
    await store.setCards(() => source, () => cards(600))
    await store.setCards(() => other, () => cards(1))
    const list = await store.setCards((now) => now[0], (had) => had.slice(0, 10))
    expect(list.map((s) => [s.pages, s.count])).toEqual([[1, 10], [1, 1]])
    expect((await store.all()).cards.get(source.id)).toEqual(cards(10))
    await store.remove(source.id)
    expect((await raw(db)).map((r) => r.k).sort()).toEqual(['bbbbbbbbbbbbbbbbbbbbbb/0', 'list'])
    db.close()
  })

  it('lose nothing when two tabs change them at once', async () => {
    const one = await open()
    const two = await open()
    const [a, b] = [new SourceStore(one), new SourceStore(two)]
    const id = (c: string): string => c.repeat(22)
    await a.setCards(() => source, () => cards(3))
    await Promise.all([
      ...['b', 'c'].map((c) => a.setCards(() => ({ ...source, id: id(c) }), () => cards(2))),
      ...['d', 'e'].map((c) => b.setCards(() => ({ ...source, id: id(c) }), () => cards(1))),
      b.change(source.id, { on: false }),
      a.setCards((list) => list[0], (had) => [...had, { id: 'more a', name: 'A' }]),
      b.setCards((list) => list[0], (had) => [...had, { id: 'more b', name: 'B' }]),
      a.decide((now) => ({ ...now, apart: [...now.apart, ['device:a', 'device:b']] })),
      b.decide((now) => ({ ...now, together: [...now.together, ['device:c', 'device:d']] })),
    ])
    const kept = await a.all()
    expect(kept.list.map((s) => s.id).sort()).toEqual(['a', 'b', 'c', 'd', 'e'].map(id))
    expect([kept.list[0]?.on, kept.list[0]?.count]).toEqual([false, 5])
    expect(kept.cards.get(source.id)?.map((c) => c.id).sort()).toEqual(['c0', 'c1', 'c2', 'more a', 'more b'])
    expect(kept.decisions).toEqual({ apart: [['device:a', 'device:b']], together: [['device:c', 'device:d']] })
    one.close()
    two.close()
  })

  it('stay removed when another tab was about to change them', async () => {
    const db = await open()
    const store = new SourceStore(db)
    await store.setCards(() => source, () => cards(1))
    await store.remove(source.id)
    await store.change(source.id, { on: false })
    await store.setCards((list) => list.find((s) => s.id === source.id), () => cards(2))
    expect(await raw(db)).toMatchObject([{ k: 'list' }])
    db.close()
  })

  it('go with the person', async () => {
    const db = await open()
    await new SourceStore(db).setCards(() => source, () => cards(3))
    db.close()
    await deleteOthers('p2', ['p1'])
    expect((await indexedDB.databases()).map((d) => d.name)).not.toContain(databaseName('p1'))
  })

  it('find their place in a database of the release before', async () => {
    const before = await Database.open('p1', await testKeys(), () => undefined, migrations.slice(0, 1))
    before.close()
    const db = await open()
    const store = new SourceStore(db)
    expect((await store.all()).list).toEqual([])
    await store.setCards(() => source, () => cards(1))
    expect((await store.all()).list).toHaveLength(1)
    db.close()
  })
})
