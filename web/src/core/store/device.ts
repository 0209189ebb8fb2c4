// What belongs to this browser profile and not to a person: the installation's
// id, who was here last, and the keys of whoever is signed in. It is a database
// of its own so that signing out deletes the keys and nothing else.
import type { About } from '../wire'
import type { Session } from '../types'
import { randomId, type Bytes } from '../bytes'
import { openDatabase, read, result, write, type Migration, type Taken } from './idb'
import { Sealer, type Keys } from './seal'

const name = 'parley'

const migrations: readonly Migration[] = [(db) => void db.createObjectStore('device')]

interface DeviceRecords {
  installation: string
  /** Whose database is on this device, signed in or not. */
  person: string
  keys: Keys
  session: Bytes
  /** Signed out here, but the server has not been told. */
  leaving: boolean
  about: About
}

type Name = keyof DeviceRecords

/** A session as this device keeps it: with its keys. */
export interface KeptSession {
  session: Session
  keys: Keys
}

/** The small database of the browser profile. */
export class DeviceStore {
  private constructor(private readonly db: IDBDatabase) {}

  static async open(taken: Taken): Promise<DeviceStore> {
    return new DeviceStore(await openDatabase(name, migrations, taken))
  }

  close(): void {
    this.db.close()
  }

  private get<K extends Name>(key: K): Promise<DeviceRecords[K] | undefined> {
    return result(read(this.db, 'device').objectStore('device').get(key) as IDBRequest<DeviceRecords[K] | undefined>)
  }

  private put(records: Partial<DeviceRecords>, remove: readonly Name[] = []): Promise<void> {
    return write(this.db, ['device'], (tx) => {
      const store = tx.objectStore('device')
      for (const [key, value] of Object.entries(records)) store.put(value, key)
      for (const key of remove) store.delete(key)
    })
  }

  /** The profile's own random id, made at the first call and kept for good. */
  async installation(): Promise<string> {
    const made = randomId()
    await write(this.db, ['device'], (tx) => {
      const store = tx.objectStore('device')
      const known = store.get('installation')
      known.onsuccess = () => {
        if (known.result === undefined) store.put(made, 'installation')
      }
    })
    return (await this.get('installation')) ?? made
  }

  /** Whose history is on this device. */
  person(): Promise<string | undefined> {
    return this.get('person')
  }

  /** The session that was kept, if it is whole; without keys nobody is signed in. */
  async session(): Promise<KeptSession | undefined> {
    const [keys, box] = await Promise.all([this.get('keys'), this.get('session')])
    if (!keys || !box) return undefined
    try {
      return { keys, session: await new Sealer(keys).open<Session>('session', box) }
    } catch {
      return undefined
    }
  }

  /** Keeps a session and its keys. */
  async signedIn(session: Session, keys: Keys): Promise<void> {
    const box = await new Sealer(keys).seal('session', session)
    await this.put({ person: session.person.id, keys, session: box }, ['leaving'])
  }

  /** Removes keys and session. With `tell`, the server has still to be told. */
  signedOut(tell: boolean): Promise<void> {
    return this.put(tell ? { leaving: true } : {}, tell ? ['keys', 'session'] : ['keys', 'session', 'leaving'])
  }

  /** The server has yet to be told of a sign-out. */
  async leaving(): Promise<boolean> {
    return (await this.get('leaving')) ?? false
  }

  /** The server knows of the sign-out. */
  left(): Promise<void> {
    return this.put({}, ['leaving'])
  }

  about(): Promise<About | undefined> {
    return this.get('about')
  }

  keepAbout(about: About): Promise<void> {
    return this.put({ about })
  }
}
