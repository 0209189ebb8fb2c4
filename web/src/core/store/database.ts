// One person's database: opening it, proving that the key fits, and the fence
// that keeps a tab that has lost its ownership from writing.
import { deleteDatabase, openDatabase, read, result, write, type Migration, type Taken } from './idb'
import { databaseName, databasePerson, migrations, type Meta } from './schema'
import { Sealer, type Keys } from './seal'

/** Thrown by a write of an owner that another tab has replaced. */
export class Deposed extends Error {
  constructor() {
    super('another tab owns the store')
    this.name = 'Deposed'
  }
}

/** Thrown when the database was sealed under another key. */
export class KeyMismatch extends Error {
  constructor() {
    super('the history key does not fit the history')
    this.name = 'KeyMismatch'
  }
}

type MetaName = keyof Meta

/** An open database with its sealer. */
export class Database {
  private owner = 0

  private constructor(
    readonly idb: IDBDatabase,
    readonly sealer: Sealer,
  ) {}

  /**
   * Opens the database of a person, making it if need be. Rejects with
   * KeyMismatch when there is one that these keys do not open.
   */
  static async open(person: string, keys: Keys, taken: Taken, steps: readonly Migration[] = migrations): Promise<Database> {
    const idb = await openDatabase(databaseName(person), steps, taken)
    const db = new Database(idb, new Sealer(keys))
    try {
      await db.checkKey(person)
    } catch (cause) {
      idb.close()
      throw cause
    }
    return db
  }

  private async checkKey(person: string): Promise<void> {
    const check = await this.meta('check')
    if (check) {
      const opened = await this.sealer.open<string>('meta/check', check).catch(() => undefined)
      if (opened !== person) throw new KeyMismatch()
      return
    }
    const box = await this.sealer.seal('meta/check', person)
    await write(this.idb, ['meta'], (tx) => tx.objectStore('meta').put(box, 'check'))
  }

  close(): void {
    this.idb.close()
  }

  /** One record of `meta`. */
  meta<K extends MetaName>(key: K): Promise<Meta[K] | undefined> {
    return result(read(this.idb, 'meta').objectStore('meta').get(key) as IDBRequest<Meta[K] | undefined>)
  }

  /** Makes this tab the owner: from now on ownerWrite works here and rejects with Deposed everywhere else. */
  async claim(): Promise<void> {
    await write(this.idb, ['meta'], (tx) => {
      const meta = tx.objectStore('meta')
      const former = meta.get('owner') as IDBRequest<number | undefined>
      former.onsuccess = () => {
        this.owner = (former.result ?? 0) + 1
        meta.put(this.owner, 'owner')
      }
    })
  }

  /** A strict write that only the owner may do. */
  async ownerWrite(stores: readonly string[], fill: (tx: IDBTransaction) => void): Promise<void> {
    let deposed = false
    const all = stores.includes('meta') ? stores : ['meta', ...stores]
    const done = write(this.idb, all, (tx) => {
      const owner = tx.objectStore('meta').get('owner') as IDBRequest<number | undefined>
      owner.onsuccess = () => {
        deposed = owner.result !== this.owner
        if (deposed) tx.abort()
        else fill(tx)
      }
    })
    await done.catch((cause: unknown) => {
      throw deposed ? new Deposed() : cause
    })
  }
}

/** Deletes every person's database on this device but one. */
export async function deleteOthers(keep: string | undefined, known: readonly string[]): Promise<void> {
  const names = new Set(known)
  // Safari and Chromium list the databases; where that is missing, `known` has to do.
  for (const { name } of (await indexedDB.databases?.()) ?? []) {
    const person = name === undefined ? undefined : databasePerson(name)
    if (person) names.add(person)
  }
  if (keep !== undefined) names.delete(keep)
  await Promise.all([...names].map((person) => deleteDatabase(databaseName(person))))
}

/** Deletes one person's database. */
export const deletePerson = (person: string): Promise<void> => deleteDatabase(databaseName(person))
