// IndexedDB with promises, and the two rules of this store: every write is
// strict (the bytes are on the disk when it completes) and nothing but requests
// of the same transaction is awaited inside one.

/** Thrown when the browser has no room left. */
export class QuotaFull extends Error {
  constructor() {
    super('no room left on the device')
    this.name = 'QuotaFull'
  }
}

/** Thrown when a newer version of the app has made the database. */
export class NewerDatabase extends Error {
  constructor(name: string) {
    super(`${name} was made by a newer version of the app`)
    this.name = 'NewerDatabase'
  }
}

/** Thrown when another tab keeps a database open that must go. */
export class DatabaseBlocked extends Error {
  constructor(name: string) {
    super(`another tab keeps ${name} open`)
    this.name = 'DatabaseBlocked'
  }
}

/** One step of a schema. The list only ever grows; the version is its length. */
export type Migration = (db: IDBDatabase, tx: IDBTransaction) => void

/** Told when a database is no longer to be had: another tab has deleted or upgraded it, or the browser has lost it. */
export type Taken = (how: 'deleted' | 'upgraded' | 'lost') => void

/** The result of one request. */
export const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((ok, fail) => {
    request.onsuccess = () => ok(request.result)
    request.onerror = () => fail(named(request.error))
  })

const named = (error: DOMException | null): Error =>
  error?.name === 'QuotaExceededError' ? new QuotaFull() : (error ?? new Error('the transaction was aborted'))

/** How long another tab has to let go of a database. */
const patienceMs = 8_000

/**
 * Opens a database and brings its schema up to date. `taken` is called when
 * another tab wants to delete it or has a newer version of it: the connection is
 * closed by then.
 */
export function openDatabase(name: string, migrations: readonly Migration[], taken: Taken): Promise<IDBDatabase> {
  return new Promise((ok, fail) => {
    const request = indexedDB.open(name, migrations.length)
    let late = false
    const timer = setTimeout(() => {
      late = true
      fail(new DatabaseBlocked(name))
    }, patienceMs)
    request.onupgradeneeded = (event) => {
      const tx = request.transaction
      if (tx) for (const step of migrations.slice(event.oldVersion)) step(request.result, tx)
    }
    request.onerror = () => {
      clearTimeout(timer)
      fail(request.error?.name === 'VersionError' ? new NewerDatabase(name) : named(request.error))
    }
    request.onsuccess = () => {
      clearTimeout(timer)
      const db = request.result
      if (late) {
        db.close()
        return
      }
      // WebKit closes databases of a page that was suspended.
      db.onclose = () => taken('lost')
      db.onversionchange = (event) => {
        db.close()
        taken(event.newVersion === null ? 'deleted' : 'upgraded')
      }
      ok(db)
    }
  })
}

/** Deletes a database; rejects with DatabaseBlocked when another tab does not let go of it. */
export function deleteDatabase(name: string): Promise<void> {
  return new Promise((ok, fail) => {
    const request = indexedDB.deleteDatabase(name)
    const timer = setTimeout(() => fail(new DatabaseBlocked(name)), patienceMs)
    request.onsuccess = () => {
      clearTimeout(timer)
      ok()
    }
    request.onerror = () => {
      clearTimeout(timer)
      fail(named(request.error))
    }
  })
}

/**
 * Runs one strict write transaction and resolves when it is on the disk. `fill`
 * issues its requests at once; whatever it reads, it handles in callbacks.
 */
export function write(db: IDBDatabase, stores: readonly string[], fill: (tx: IDBTransaction) => void): Promise<void> {
  return new Promise((ok, fail) => {
    const tx = db.transaction([...stores], 'readwrite', { durability: 'strict' })
    tx.oncomplete = () => ok()
    tx.onabort = () => fail(named(tx.error))
    try {
      fill(tx)
    } catch (cause) {
      tx.abort()
      fail(cause instanceof Error ? cause : new Error(String(cause)))
    }
  })
}

/** A read transaction over the stores. */
export const read = (db: IDBDatabase, ...stores: string[]): IDBTransaction => db.transaction(stores, 'readonly')
