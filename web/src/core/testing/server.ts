// A server that behaves as docs/protocol.md says, in memory, for one person's
// devices. Tests drive it and look at what it was told.
import type { ClientFrame, Entry, Marks, Problem, ServerEvent, Synced } from '../wire'
import type { Api, Dial, Socket, SocketHandlers } from '../sync/ports'
import { toBase64, utf8 } from '../bytes'
import { ApiError } from '../call'

type Frame<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>

export const limits = { frame_burst: 200, frame_bytes: 131072, frame_rate: 50, message_bytes: 65536, under_way: 256, watched: 2000 }

export const problem = (title: Problem['title'], retry: Problem['retry'], key = `error.${title}`, retry_after?: number): Problem => ({
  type: `tag:parley,2026:${title}`,
  title,
  status: 400,
  key,
  retry,
  retry_after,
})

export class FakeServer implements Api {
  epoch = 'epoch1'
  log: Entry[] = []
  /** Entries up to this index are purged. */
  purged = 0
  person = 'p1'
  /** Everything the client has sent, over all connections. */
  readonly frames: ClientFrame[] = []
  readonly connections: FakeConnection[] = []
  marksAsked: string[] = []
  syncsAsked: string[] = []
  marksAnswer: Marks = { marks: [] }
  pageSize = 100
  missed = false
  /** Consulted before a message is accepted. */
  refuse: (frame: Frame<'send'>) => Problem | undefined = () => undefined
  /** Does not even open connections, and says nothing on those that are. */
  mute = false
  /** Opens connections and says nothing. */
  silent = false
  /** Answers nothing to a message, as if the connection broke after the commit. */
  swallowAnswers = false
  /** Refuses connections. */
  down = false
  sessionEnded = false
  streamLimit = Infinity
  private readonly seen = new Set<string>()

  readonly dial: Dial = (handlers) => {
    const connection = new FakeConnection(this, handlers)
    this.connections.push(connection)
    return connection
  }

  get connection(): FakeConnection {
    const last = this.connections.at(-1)
    if (!last) throw new Error('nobody has dialled')
    return last
  }

  sent<T extends ClientFrame['type']>(type: T): Frame<T>[] {
    return this.frames.filter((f): f is Frame<T> => f.type === type)
  }

  cursorAt(index: number): string {
    return index === 0 ? '' : `${this.epoch}-${index}`
  }

  /** The index that a cursor means; undefined when it is of another epoch or unknown. */
  indexOf(cursor: string): number | undefined {
    if (cursor === '') return 0
    const [epoch, index] = cursor.split('-')
    return epoch === this.epoch && Number(index) <= this.log.length ? Number(index) : undefined
  }

  append(entry: Partial<Entry> & { text?: string }): Entry {
    const { text = 'hello', ...rest } = entry
    const made: Entry = {
      type: 'entry',
      at: '2026-11-22T10:00:00.000Z',
      conversation: 'p1.p2',
      from: 'p2',
      client_id: `c${this.log.length + 1}`,
      kind: 'message',
      content: 'text.v1',
      body: toBase64(utf8(text)),
      own_device: false,
      ...rest,
      cursor: `${this.epoch}-${this.log.length + 1}`,
    }
    this.log.push(made)
    this.seen.add(`${made.from} ${made.client_id}`)
    return made
  }

  /** Somebody else writes; open connections hear of it. */
  write(text: string, entry: Partial<Entry> = {}): Entry {
    const made = this.append({ text, ...entry })
    for (const c of this.connections) c.flow()
    return made
  }

  /** As after a restore: another epoch, the same entries. */
  restore(entries = this.log.length): void {
    this.epoch = `${this.epoch}x`
    const kept = this.log.slice(0, entries)
    this.log = []
    this.seen.clear()
    for (const e of kept) {
      this.log.push({ ...e, cursor: `${this.epoch}-${this.log.length + 1}` })
      this.seen.add(`${e.from} ${e.client_id}`)
    }
  }

  accept(frame: Frame<'send'>): Entry | 'known' {
    const { client_id, conversation, kind, content, body } = frame
    if (this.seen.has(`${this.person} ${client_id}`)) return 'known'
    const made = this.append({ client_id, conversation, from: this.person, own_device: true, kind, content })
    const entry = { ...made, body }
    this.log[this.log.length - 1] = entry
    return entry
  }

  async sync(after: string): Promise<Synced> {
    this.syncsAsked.push(after)
    if (this.down) throw new ApiError('offline', 'error.offline', undefined, 'later')
    const at = this.indexOf(after)
    const from = Math.max(at ?? 0, this.purged)
    const to = Math.min(this.log.length, from + this.pageSize)
    return {
      cursor: this.cursorAt(to),
      entries: this.log.slice(from, to),
      epoch: this.epoch,
      missed: this.missed,
      more: to < this.log.length,
      resync: at === undefined,
    }
  }

  async marks(after: string): Promise<Marks> {
    this.marksAsked.push(after)
    return this.marksAnswer
  }

  async session(): Promise<unknown> {
    if (this.sessionEnded) throw new ApiError('sign-in', 'error.sign-in', undefined, 'after-sign-in')
    if (this.down) throw new ApiError('offline', 'error.offline', undefined, 'later')
    return {}
  }
}

export class FakeConnection implements Socket {
  closedByClient = false
  private at = 0
  private streaming = false
  private ended = false

  constructor(
    private readonly server: FakeServer,
    private readonly handlers: SocketHandlers,
  ) {
    queueMicrotask(() => {
      if (server.down) this.end(1006)
      else if (!server.mute) handlers.open()
    })
  }

  get live(): boolean {
    return !this.ended && !this.closedByClient
  }

  /** Sends events in one frame. */
  say(...events: ServerEvent[]): void {
    if (this.live) queueMicrotask(() => this.live && this.handlers.frame(JSON.stringify(events)))
  }

  /** The connection ends, from the server's side or by the network. */
  end(code: number): void {
    if (!this.live) return
    this.ended = true
    queueMicrotask(() => !this.closedByClient && this.handlers.closed(code))
  }

  close(): void {
    this.closedByClient = true
  }

  send(text: string): void {
    const frame = JSON.parse(text) as ClientFrame
    this.server.frames.push(frame)
    if (this.server.mute || this.server.silent || !this.live) return
    if (frame.type === 'hello') this.hello(frame)
    if (frame.type === 'resume') this.resume(frame.cursor)
    if (frame.type === 'send') this.message(frame)
    if (frame.type === 'ping') this.say({ type: 'pong' })
  }

  private hello(frame: Frame<'hello'>): void {
    const { epoch, person } = this.server
    const at = this.server.indexOf(frame.cursor)
    const resync = at === undefined
    this.say({
      type: 'welcome',
      protocol: 1,
      build: 'b',
      features: [],
      epoch,
      now: '2026-11-22T10:00:00.000Z',
      person,
      device: 'd1',
      limits,
      cursor: frame.cursor,
      resync,
    })
    if (resync) return
    if (this.server.log.length - at > this.server.streamLimit) this.say({ type: 'gap' })
    else this.resume(frame.cursor)
  }

  private resume(cursor: string): void {
    this.at = this.server.indexOf(cursor) ?? 0
    this.streaming = true
    this.flow()
  }

  private message(frame: Frame<'send'>): void {
    const refused = this.server.refuse(frame)
    if (refused) {
      this.say({ type: 'refused', client_id: frame.client_id, problem: refused })
      return
    }
    const entry = this.server.accept(frame)
    if (this.server.swallowAnswers) return
    if (entry === 'known') this.say({ type: 'known', client_id: frame.client_id })
    for (const c of this.server.connections) c.flow(c === this ? frame.client_id : undefined)
  }

  /** Streams what the log has beyond this connection's place. */
  flow(own?: string): void {
    if (!this.streaming || !this.live || this.server.swallowAnswers) return
    const events = this.server.log.slice(this.at).map((e, i): ServerEvent => {
      const prev = this.server.cursorAt(this.at + i)
      const { cursor, conversation, client_id, at } = e
      return client_id === own ? { type: 'accepted', prev, cursor, conversation, client_id, at } : { ...e, prev }
    })
    this.at = this.server.log.length
    if (events.length > 0) this.say(...events)
  }
}
