// One device in a test: a store in memory, an engine, and a record of what the
// engine told.
import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { randomId, type Bytes } from '../bytes'
import { Database } from '../store/database'
import { type Stored } from '../store/history'
import { HistoryWriter } from '../store/writer'
import { Queue, type Queued } from '../store/queue'
import { deriveKeys, type Keys } from '../store/seal'
import { Engine } from '../sync/engine'
import type { Listener } from '../sync/ports'
import { FakeClock, until } from './clock'
import type { FakeServer } from './server'

/** An empty browser profile. */
export function freshProfile(): void {
  globalThis.indexedDB = new IDBFactory()
}

export const historyKey = (fill: number): Bytes => new Uint8Array(32).fill(fill)

let derived: Keys | undefined
export async function testKeys(): Promise<Keys> {
  derived ??= await deriveKeys(historyKey(7))
  return derived
}

export interface Told {
  connection: string[]
  changed: string[]
  flight: readonly string[]
  ended: string[]
  other: string[]
  failures: unknown[]
}

export class TestDevice {
  readonly clock = new FakeClock()
  readonly told: Told = { connection: [], changed: [], flight: [], ended: [], other: [], failures: [] }
  readonly typing: string[] = []
  readonly presence: string[] = []

  private constructor(
    readonly server: FakeServer,
    readonly db: Database,
    readonly history: HistoryWriter,
    readonly queue: Queue,
    readonly engine: Engine,
  ) {}

  /** Opens the store, as at the start of the app; nothing is dialled yet. */
  static async open(server: FakeServer, me = 'p1'): Promise<TestDevice> {
    const db = await Database.open(me, await testKeys(), () => undefined)
    await db.claim()
    const damaged = (): void => undefined
    const history = new HistoryWriter(db, me, damaged)
    await history.load()
    const queue = new Queue(db, damaged)
    const clock = new FakeClock()
    const holder: { device?: TestDevice } = {}
    const listener = listen(() => holder.device)
    const ports = { me, build: 'test', clock, dial: server.dial, api: server, history, queue, listener }
    const engine = new Engine(ports, { visible: true, active: true, timeZone: 'Europe/Berlin' })
    const device = new TestDevice(server, db, history, queue, engine)
    Object.assign(device, { clock })
    holder.device = device
    return device
  }

  static async start(server: FakeServer): Promise<TestDevice> {
    const device = await TestDevice.open(server)
    await device.engine.start()
    return device
  }

  /** The process dies: nothing more is done, nothing is said. */
  die(): void {
    this.engine.stop()
    this.db.close()
  }

  async online(): Promise<void> {
    await until(() => this.told.connection.at(-1) === 'online', 'online')
  }

  async queueText(text: string, conversation = 'p1.p2', id = randomId()): Promise<string> {
    await this.queue.add({ conversation, at: '2026-11-22T10:00:01.000Z', id, content: 'text.v1', text })
    return id
  }

  async send(text: string, conversation?: string): Promise<string> {
    const id = await this.queueText(text, conversation)
    await this.engine.queueChanged()
    return id
  }

  stored(conversation = 'p1.p2'): Promise<Stored[]> {
    return this.history.after(conversation, 0)
  }

  async texts(conversation = 'p1.p2'): Promise<string[]> {
    return (await this.stored(conversation)).map((m) => m.text ?? `(${m.content})`)
  }

  waiting(): Promise<Queued[]> {
    return this.queue.all()
  }

  async hasTexts(...want: string[]): Promise<void> {
    let have: string[] = []
    const same = async (): Promise<boolean> => {
      have = await this.texts()
      return JSON.stringify(have) === JSON.stringify(want)
    }
    await until(same, '').catch((cause: unknown) => {
      throw new Error(`the history is ${JSON.stringify(have)}, want ${JSON.stringify(want)}`, { cause })
    })
  }
}

function listen(device: () => TestDevice | undefined): Listener {
  const told = (): Told => {
    const d = device()
    if (!d) throw new Error('told before the start')
    return d.told
  }
  return {
    connection: (s) => told().connection.push(s),
    changed: (c) => told().changed.push(...c),
    queueChanged: () => undefined,
    flight: (ids) => (told().flight = ids),
    presence: (person, p) => device()?.presence.push(`${person} ${p?.availability}`),
    card: (person) => told().other.push(`card ${person}`),
    contacts: (version) => told().other.push(`contacts ${version}`),
    typing: (c, person, on) => device()?.typing.push(`${c} ${person} ${on}`),
    problem: (p, frame) => told().other.push(`problem ${frame} ${p.key}`),
    ended: (reason) => told().ended.push(reason),
    stranger: () => told().other.push('stranger'),
    outdated: () => told().other.push('outdated'),
    storeFailed: (cause) => told().failures.push(cause),
    deposed: () => told().other.push('deposed'),
  }
}
