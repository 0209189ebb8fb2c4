import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { freshProfile } from '../testing/device'
import { DatabaseBlocked, deleteDatabase, NewerDatabase, openDatabase, QuotaFull, read, result, write } from './idb'

beforeEach(freshProfile)
afterEach(() => vi.useRealTimers())

const first = (db: IDBDatabase): void => void db.createObjectStore('a')
const second = (db: IDBDatabase): void => void db.createObjectStore('b')
const nobody = (): void => undefined

// A tab whose page does not react, as a suspended one does not.
async function stubborn(name: string): Promise<IDBDatabase> {
  const db = await openDatabase(name, [first], nobody)
  db.onversionchange = null
  return db
}

describe('opening', () => {
  it('runs the steps that are missing, and only those', async () => {
    const old = await openDatabase('x', [first], nobody)
    old.close()
    const db = await openDatabase('x', [first, second], nobody)
    expect([...db.objectStoreNames]).toEqual(['a', 'b'])
    expect(db.version).toBe(2)
  })

  it('refuses what a newer version has made', async () => {
    ;(await openDatabase('x', [first, second], nobody)).close()
    await expect(openDatabase('x', [first], nobody)).rejects.toBeInstanceOf(NewerDatabase)
  })

  it('tells the tab with the older version, which has let go by then', async () => {
    const told: string[] = []
    const old = await openDatabase('x', [first], (how) => told.push(how))
    await openDatabase('x', [first, second], nobody)
    expect(told).toEqual(['upgraded'])
    expect(() => read(old, 'a')).toThrow()
  })
})

describe('a tab that does not let go', () => {
  it.each([
    ['deleting', (): Promise<unknown> => deleteDatabase('x')],
    ['upgrading', (): Promise<unknown> => openDatabase('x', [first, second], nobody)],
  ])('blocks %s, which is said after a while', async (_, attempt) => {
    await stubborn('x')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const outcome = attempt().catch((cause: unknown) => cause)
    await vi.advanceTimersByTimeAsync(8_000)
    expect(await outcome).toBeInstanceOf(DatabaseBlocked)
  })
})

describe('writing', () => {
  it('is strict, and all or nothing', async () => {
    const db = await openDatabase('x', [first], nobody)
    const durability: (string | undefined)[] = []
    const plain = db.transaction.bind(db)
    db.transaction = (names, mode, options) => {
      durability.push(options?.durability)
      return plain(names, mode, options)
    }
    await write(db, ['a'], (tx) => tx.objectStore('a').put(1, 'one'))
    await expect(
      write(db, ['a'], (tx) => {
        tx.objectStore('a').put(2, 'one')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(durability).toEqual(['strict', 'strict'])
    expect(await result(read(db, 'a').objectStore('a').get('one'))).toBe(1)
  })

  it('says when the device is full', async () => {
    const db = await openDatabase('x', [first], nobody)
    const full = write(db, ['a'], (tx) => {
      tx.objectStore('a').put(1, 'one')
      Object.defineProperty(tx, 'error', { get: () => new DOMException('full', 'QuotaExceededError') })
      tx.abort()
    })
    await expect(full).rejects.toBeInstanceOf(QuotaFull)
  })
})
