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
    expect([await store.any(), await store.list(), await store.decisions()]).toEqual([false, [], { apart: [], together: [] }])
    const list = await store.setCards([], { ...source, password: 'CANARY secret' }, cards(600))
    await store.setDecisions({ apart: [['device:c1', 'directory:p2']], together: [] })
    db.close()
    const again = await open()
    const opened = new SourceStore(again)
    expect(await opened.any()).toBe(true)
    expect(await opened.list()).toEqual(list)
    expect(await opened.cards(list[0] as SourceItem)).toEqual(cards(600))
    expect((await opened.decisions()).apart).toEqual([['device:c1', 'directory:p2']])
    for (const { k, box } of await raw(again)) {
      expect(k).not.toMatch(/canary/i)
      expect(new TextDecoder('latin1').decode(box)).not.toMatch(/canary/i)
    }
    again.close()
  })

  it('replace what they held, and leave nothing when they are removed', async () => {
    const db = await open()
    const store = new SourceStore(db)
    let list = await store.setCards([], source, cards(600))
    list = await store.setCards(list, { ...source, id: 'bbbbbbbbbbbbbbbbbbbbbb' }, cards(1))
    list = await store.setCards(list, list[0] as SourceItem, cards(10))
    expect(list.map((s) => [s.pages, s.count])).toEqual([[1, 10], [1, 1]])
    expect(await store.cards(list[0] as SourceItem)).toEqual(cards(10))
    list = await store.remove(list, source.id)
    expect((await raw(db)).map((r) => r.k).sort()).toEqual(['bbbbbbbbbbbbbbbbbbbbbb/0', 'list'])
    db.close()
  })

  it('go with the person', async () => {
    const db = await open()
    await new SourceStore(db).setCards([], source, cards(3))
    db.close()
    await deleteOthers('p2', ['p1'])
    expect((await indexedDB.databases()).map((d) => d.name)).not.toContain(databaseName('p1'))
  })

  it('find their place in a database of the release before', async () => {
    const before = await Database.open('p1', await testKeys(), () => undefined, migrations.slice(0, 1))
    before.close()
    const db = await open()
    const store = new SourceStore(db)
    expect(await store.any()).toBe(false)
    await store.setCards([], source, cards(1))
    expect(await store.any()).toBe(true)
    db.close()
  })
})
