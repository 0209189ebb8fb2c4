// Tabs in a test: locks and a channel as the browser has them, in memory.
import { Database } from '../store/database'
import { Queue } from '../store/queue'
import { Hub } from '../tabs/hub'
import type { Channel, Locks, News, TabMessage, TabStatus } from '../tabs/messages'
import { FakeClock } from './clock'
import { testKeys } from './device'
import type { FakeServer } from './server'

interface Request {
  held: () => Promise<void>
  ok: () => void
  fail: (cause: unknown) => void
}

/** One lock, as Web Locks has it. */
export class FakeLocks implements Locks {
  private holder: Request | undefined
  private queue: Request[] = []

  request(_name: string, options: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<void> {
    return new Promise((ok, fail) => {
      const request = { held, ok, fail }
      if (options.steal) {
        this.holder?.fail(new DOMException('stolen', 'AbortError'))
        this.grant(request)
        return
      }
      options.signal?.addEventListener('abort', () => {
        if (!this.queue.includes(request)) return
        this.queue = this.queue.filter((r) => r !== request)
        fail(new DOMException('aborted', 'AbortError'))
      })
      this.queue.push(request)
      this.next()
    })
  }

  private next(): void {
    if (this.holder) return
    const request = this.queue.shift()
    if (request) this.grant(request)
  }

  private grant(request: Request): void {
    this.holder = request
    const done = (settle: () => void): void => {
      settle()
      if (this.holder !== request) return
      this.holder = undefined
      this.next()
    }
    queueMicrotask(() => {
      request.held().then(() => done(request.ok), (cause: unknown) => done(() => request.fail(cause)))
    })
  }
}

/** A channel that all tabs of a browser share. */
export class FakeChannels {
  private readonly ends = new Set<{ heard: (m: TabMessage) => void }>()

  open(): Channel {
    const end = { heard: (_: TabMessage): void => undefined }
    this.ends.add(end)
    return {
      post: (message) => {
        const copy = structuredClone(message)
        for (const other of this.ends) if (other !== end) queueMicrotask(() => this.ends.has(other) && other.heard(copy))
      },
      listen: (heard) => (end.heard = heard),
      close: () => this.ends.delete(end),
    }
  }
}

export class Browser {
  readonly clock = new FakeClock()
  readonly locks = new FakeLocks()
  readonly channels = new FakeChannels()

  constructor(readonly server: FakeServer) {}

  async tab(status: Partial<TabStatus> = {}): Promise<Tab> {
    const db = await Database.open('p1', await testKeys(), () => undefined)
    const news: News[] = []
    const ports = {
      me: 'p1',
      build: 'test',
      clock: this.clock,
      dial: this.server.dial,
      api: this.server,
      locks: this.locks,
      channel: () => this.channels.open(),
      db,
      damaged: () => undefined,
      hear: (n: News) => void news.push(n),
    }
    const hub = new Hub(ports, { watch: ['p1'], visible: true, active: true, timeZone: 'UTC', ...status })
    hub.start()
    return new Tab(hub, db, new Queue(db, () => undefined), news)
  }
}

export class Tab {
  constructor(
    readonly hub: Hub,
    readonly db: Database,
    readonly queue: Queue,
    readonly news: News[],
  ) {}

  get state(): string | undefined {
    return this.news.filter((n) => n.news === 'connection').at(-1)?.state
  }

  /** As the send button does it: into the store first, then a hint. */
  async send(text: string): Promise<void> {
    await this.queue.add({ conversation: 'p1.p2', at: '2026-11-22T10:00:00.000Z', id: crypto.randomUUID(), content: 'text.v1', text })
    this.hub.command({ do: 'queue' }).catch(() => undefined)
  }
}
