// The sync engine (docs/protocol.md §3-6, §8): the owner tab's conversation with
// the server. It applies the log in its order, acknowledges only what is on the
// disk, and empties the send queue. It touches neither the page nor the network
// itself.
import { closeCode, limit, protocolVersion } from '../../api.gen'
import { toBase64, utf8 } from '../bytes'
import { ApiError } from '../call'
import { Backoff, type Cancel } from '../clock'
import { Deposed } from '../store/database'
import type { Arrival, Batch } from '../store/history'
import type { Queued } from '../store/queue'
import type { Entry, ServerEvent } from '../wire'
import { Chain } from './chain'
import { arrivalOf, arrivalOfQueued } from './entries'
import { Line } from './line'
import { Marker } from './marker'
import { Outbox } from './outbox'
import type { Activity, EventOf, Ports } from './ports'
import { Typist } from './typist'

type State =
  | 'stopped'
  | 'greeting' // no welcome yet
  | 'syncing' // entries come by HTTP; those of the socket are ignored
  | 'streaming'

type LogEvent = EventOf<'entry'> | EventOf<'accepted'>

const storeWaitMs = 2_000
const longestStoreWaitMs = 60_000
const outdatedWaitMs = 5 * 60_000

export class Engine {
  private state: State = 'stopped'
  /** Counts connections and stops: work that began under another number is void. */
  private run = 0
  private chain = new Chain('')
  private epoch = ''
  private readonly line: Line
  private readonly outbox: Outbox
  private readonly marker: Marker
  private readonly typist: Typist
  private readonly storeWaits: Backoff
  private inbox: ServerEvent[] = []
  private pumping = false
  /** The send queue in the store has changed since its last reading began. */
  private queueStale = false
  private queueReading: Promise<void> | undefined
  /** Messages that the server has accepted before; the sync brings their entries. */
  private readonly knownIds = new Set<string>()
  private lastSent: string | undefined
  private retryTimer: Cancel | undefined
  private activityNow: Activity
  private watched: readonly string[] = []

  constructor(
    private readonly ports: Ports,
    activity: Activity,
  ) {
    const { clock, listener } = ports
    this.activityNow = activity
    this.outbox = new Outbox(clock)
    this.storeWaits = new Backoff(clock, storeWaitMs, longestStoreWaitMs)
    this.line = new Line(clock, ports.dial, {
      opened: () => this.greet(),
      events: (events) => this.receive(events),
      lost: (code, redial) => this.lost(code, redial),
      state: (connection) => listener.connection(connection),
      probe: () => ports.api.session(),
      ended: () => this.end('expired'),
    })
    this.marker = new Marker(ports, (frame) => this.line.send(frame), (answered) => this.line.check(answered))
    this.typist = new Typist(clock, (conversation, on) => {
      if (this.state === 'streaming') this.line.send({ type: 'typing', conversation, on })
    })
  }

  /** Reads the store and dials. The history must have been loaded. */
  async start(): Promise<void> {
    this.state = 'greeting'
    await this.readQueue()
    if (this.state === 'greeting') this.line.start()
  }

  stop(): void {
    if (this.state === 'stopped') return
    this.state = 'stopped'
    this.reset()
    this.retryTimer?.()
    this.typist.stop()
    this.line.stop()
  }

  /** The device came back to the screen or to the network. */
  wake(): void {
    if (this.state !== 'stopped') this.line.wake()
  }

  /** The person does not want to wait. */
  retryNow(): void {
    if (this.state === 'stopped') return
    this.outbox.release()
    this.line.now()
    this.flush()
  }

  /** Somebody changed the send queue in the store. */
  async queueChanged(): Promise<void> {
    await this.readQueue()
    this.flush()
  }

  watch(people: readonly string[]): void {
    const list = people.slice(0, limit.watched)
    if (list.length === this.watched.length && list.every((id, i) => id === this.watched[i])) return
    this.watched = list
    if (this.greeted) this.line.send({ type: 'watch', people: this.watched })
  }

  activity(activity: Activity): void {
    const { visible, active, timeZone } = activity
    const before = this.activityNow
    this.activityNow = activity
    if (!active && visible === before.visible && timeZone === before.timeZone) return
    if (this.greeted) this.line.send({ type: 'activity', visible, active, time_zone: timeZone })
  }

  typing(conversation: string, on: boolean): void {
    this.typist.set(conversation, on)
  }

  /** The person has read up to a position, inclusive. */
  async read(conversation: string, position: number): Promise<void> {
    if (!(await this.ports.history.readUpTo(conversation, position))) return
    this.ports.listener.changed([conversation])
    if (this.greeted) await this.marker.sendReads()
  }

  /** Removes conversations from this device, with what waits in them. What is under way is left to the server's answer. */
  async remove(conversations: readonly string[]): Promise<void> {
    const underWay = new Set(this.outbox.underWay)
    const waiting = this.outbox.items.filter((q) => conversations.includes(q.conversation) && !underWay.has(q.id))
    await this.ports.history.remove(conversations, waiting.map((q) => q.n))
    this.outbox.settled(waiting.map((q) => q.id))
    this.ports.listener.changed(conversations)
    this.ports.listener.queueChanged()
  }

  private get greeted(): boolean {
    return this.state === 'streaming' || this.state === 'syncing'
  }

  // One reading at a time. A reading that began before another change ended
  // would miss it, or bring back what is gone: then it is done once more.
  private readQueue(): Promise<void> {
    this.queueStale = true
    this.queueReading ??= this.readUntilFresh()
    return this.queueReading
  }

  private async readUntilFresh(): Promise<void> {
    try {
      let items: Queued[] = []
      while (this.queueStale) {
        this.queueStale = false
        items = await this.ports.queue.all()
      }
      this.outbox.items = items
    } finally {
      this.queueReading = undefined
    }
  }

  private settleQueue(ids: readonly string[]): void {
    if (ids.length === 0) return
    this.queueStale = true
    this.outbox.settled(ids)
    for (const id of ids) this.knownIds.delete(id)
    this.tellFlight()
    this.ports.listener.queueChanged()
  }

  private tellFlight(): void {
    this.ports.listener.flight(this.outbox.underWay)
  }

  // --- The connection

  private greet(): void {
    const { visible, active, timeZone } = this.activityNow
    this.line.send({
      type: 'hello',
      protocol: protocolVersion,
      build: this.ports.build,
      cursor: this.ports.history.now.cursor,
      visible,
      active,
      time_zone: timeZone,
    })
  }

  private reset(): void {
    this.run++
    this.inbox = []
    this.outbox.lost()
    this.tellFlight()
  }

  private lost(code: number, redial: boolean): void {
    const { listener } = this.ports
    if (this.state === 'stopped') return
    this.state = 'greeting'
    const sent = this.lastSent
    this.reset()
    if (code === closeCode.frameTooBig && sent !== undefined) void this.refuse(sent, 'message.too-large')
    if (code === closeCode.malformed) listener.problem(clientFault, 'hello')
    if (code === closeCode.signedOut) this.end('signed-out')
    if (code === closeCode.tooOld) {
      listener.outdated()
      this.retryTimer?.()
      this.retryTimer = this.ports.clock.after(outdatedWaitMs, () => this.line.start())
    }
    if (!redial) return
    this.typist.stop()
  }

  private end(reason: EventOf<'signed-out'>['reason']): void {
    if (this.state === 'stopped') return
    this.stop()
    this.ports.listener.ended(reason)
  }

  private welcome(e: EventOf<'welcome'>): void {
    if (e.person !== this.ports.me) {
      this.stop()
      this.ports.listener.stranger()
      return
    }
    this.epoch = e.epoch
    this.chain = new Chain(this.ports.history.now.cursor)
    this.outbox.pace(e.limits.frame_burst / 2, e.limits.frame_rate / 2)
    this.line.welcomed()
    if (this.watched.length > 0) this.line.send({ type: 'watch', people: this.watched })
    // What was stored when the last connection broke may not have been acknowledged.
    const { cursor } = this.ports.history.now
    if (!e.resync && cursor !== '') this.line.send({ type: 'ack', cursor })
    if (e.resync) this.catchUp('')
    else this.stream()
  }

  /** The log flows: send what waits and ask for the marks. */
  private stream(): void {
    this.state = 'streaming'
    this.flush()
    void this.guard(async () => {
      await this.marker.fetch()
      await this.marker.sendReads()
    })
  }

  // --- Frames from the server

  private receive(events: readonly ServerEvent[]): void {
    this.inbox.push(...events)
    if (!this.pumping) void this.pump()
  }

  // What has gathered while the last batch was stored is the next batch.
  private async pump(): Promise<void> {
    this.pumping = true
    while (this.inbox.length > 0) {
      const events = this.inbox
      this.inbox = []
      await this.guard(() => this.handle(events))
    }
    this.pumping = false
  }

  // Whatever fails here failed to be stored: nothing was acknowledged, and a new
  // connection begins where the store stands.
  private async guard(work: () => Promise<void>): Promise<void> {
    const run = this.run
    try {
      await work()
    } catch (cause) {
      if (run !== this.run) return
      if (cause instanceof Deposed) {
        this.stop()
        this.ports.listener.deposed()
        return
      }
      if (cause instanceof ApiError && cause.kind === 'sign-in') {
        this.end('expired')
        return
      }
      if (!(cause instanceof ApiError)) this.ports.listener.storeFailed(cause)
      const least = cause instanceof ApiError ? (cause.retryAfter ?? 0) * 1000 : this.storeWaits.next()
      this.line.fail(least)
    }
  }

  private async handle(events: readonly ServerEvent[]): Promise<void> {
    const run = this.run
    const log: LogEvent[] = []
    const marks: (EventOf<'delivered'> | EventOf<'read'>)[] = []
    let gap = false
    for (const e of events) {
      if (run !== this.run) return
      if (e.type === 'entry' || e.type === 'accepted') gap = this.follow(e, log, gap) || gap
      else if (e.type === 'delivered' || e.type === 'read') marks.push(e)
      else if (e.type === 'gap') gap = true
      else if (e.type === 'known') gap = (await this.known(e.client_id)) || gap
      else await this.event(e)
    }
    if (log.length > 0) await this.applyLog(log)
    if (run !== this.run) return
    if (marks.length > 0) await this.marker.file(marks)
    if (gap && this.state === 'streaming' && run === this.run) this.catchUp(this.ports.history.now.cursor)
  }

  // Takes an entry into the batch; true when something before it is missing.
  private follow(e: LogEvent, log: LogEvent[], gap: boolean): boolean {
    if (this.state !== 'streaming' || gap) return false
    // Without its text an accepted message is filed from the log, like anybody's.
    if (e.type === 'accepted' && !this.outbox.find(e.client_id) && e.prev === this.chain.cursor) return true
    const step = this.chain.step(e.prev, e.cursor)
    if (step === 'apply') log.push(e)
    return step === 'gap'
  }

  private async applyLog(log: readonly LogEvent[]): Promise<void> {
    const cursor = log.at(-1)?.cursor ?? ''
    const arrivals = log.map((e) => this.arrival(e)).filter((a) => a !== undefined)
    await this.store({ arrivals, cursor, epoch: this.epoch })
    this.flush()
  }

  private arrival(e: LogEvent): Arrival | undefined {
    if (e.type === 'entry') return arrivalOf(e, this.ownQueued(e))
    const queued = this.outbox.find(e.client_id)
    return queued && arrivalOfQueued(this.ports.me, queued, e)
  }

  private ownQueued(e: Pick<Entry, 'from' | 'client_id'>): Queued | undefined {
    return e.from === this.ports.me ? this.outbox.find(e.client_id) : undefined
  }

  /** One transaction, and only then: acknowledge, and tell. */
  private async store(batch: Batch): Promise<void> {
    const run = this.run
    const { history, listener, me } = this.ports
    const changed = await history.apply(batch)
    this.storeWaits.reset()
    if (run === this.run && batch.cursor) this.line.send({ type: 'ack', cursor: batch.cursor })
    // In this order: a message is seen in both places rather than in none.
    listener.changed(changed)
    this.settleQueue(batch.arrivals.filter((a) => a.queued !== undefined).map((a) => a.id))
    for (const a of batch.arrivals) if (a.from !== me) listener.typing(a.conversation, a.from, false)
    await this.marker.again()
    for (const c of changed) while (await history.pack(c));
  }

  // True when a sync has to bring the entry.
  private async known(id: string): Promise<boolean> {
    const item = this.outbox.find(id)
    if (!item) return false
    if (await this.ports.history.has(this.ports.me, id)) {
      await this.ports.queue.discard(item)
      this.settleQueue([id])
      this.flush()
      return false
    }
    this.knownIds.add(id)
    return true
  }

  private async event(e: ServerEvent): Promise<void> {
    const { listener } = this.ports
    switch (e.type) {
      case 'welcome':
        this.welcome(e)
        return
      case 'refused':
        await this.refused(e)
        return
      case 'presence':
        listener.presence(e.person, e.presence)
        return
      case 'card':
        listener.card(e.person)
        return
      case 'typing':
        listener.typing(e.conversation, e.person, e.on)
        return
      case 'signed-out':
        this.end(e.reason)
        return
      case 'problem':
        this.problem(e)
        return
      case 'pong': // the line has seen it
      case 'entry':
      case 'accepted':
      case 'delivered':
      case 'read':
      case 'gap':
      case 'known':
        return
      default:
        // An event of a newer server.
        e satisfies never
    }
  }

  private problem(e: EventOf<'problem'>): void {
    this.ports.listener.problem(e.problem, e.frame)
    if (e.problem.title === 'too-many') this.outbox.holdAll(e.problem.retry_after ?? 1)
    // Without these the log does not flow.
    if (e.frame === 'hello' || e.frame === 'resume') this.line.fail((e.problem.retry_after ?? 1) * 1000)
  }

  private async refused({ client_id: id, problem }: EventOf<'refused'>): Promise<void> {
    if (problem.retry === 'never') await this.refuse(id, problem.key)
    else this.outbox.hold(id, problem.retry_after)
    this.tellFlight()
    this.flush()
  }

  private async refuse(id: string, key: string): Promise<void> {
    const item = this.outbox.find(id)
    if (!item) return
    this.outbox.refused(id)
    await this.guard(async () => {
      await this.ports.queue.fail(item, key)
      await this.readQueue()
    })
    this.ports.listener.queueChanged()
    this.flush()
  }

  // --- Sync

  private catchUp(after: string): void {
    this.state = 'syncing'
    void this.guard(() => this.sync(after))
  }

  private async sync(from: string): Promise<void> {
    const run = this.run
    let after = from
    let missed = false
    if (from === '') await this.ports.history.marksKnown('')
    for (;;) {
      const page = await this.ports.api.sync(after)
      if (run !== this.run) return
      const arrivals = page.entries.map((e) => arrivalOf(e, this.ownQueued(e)))
      const batch: Batch = { arrivals, cursor: page.cursor, epoch: page.epoch }
      if (page.missed && !missed) batch.notice = 'missed'
      missed ||= page.missed
      this.epoch = page.epoch
      await this.store(batch)
      if (run !== this.run) return
      this.chain.moveTo(page.cursor)
      if (!page.more) break
      if (page.cursor === after) throw new ApiError('internal', 'error.internal', undefined, 'later')
      after = page.cursor
    }
    await this.fileKnown()
    if (run !== this.run) return
    this.line.send({ type: 'resume', cursor: this.ports.history.now.cursor })
    this.stream()
  }

  // The server has these, and a complete sync has not brought them: they were
  // delivered everywhere and purged.
  private async fileKnown(): Promise<void> {
    const items = [...this.knownIds].map((id) => this.outbox.find(id)).filter((q) => q !== undefined)
    this.knownIds.clear()
    if (items.length > 0) await this.store({ arrivals: items.map((q) => arrivalOfQueued(this.ports.me, q)) })
  }

  // --- The send queue

  /** Sends what may be sent now, and arranges to come back for the rest. */
  private flush(): void {
    if (this.state !== 'streaming') return
    const ready = this.outbox.take()
    for (const q of ready) {
      this.lastSent = q.id
      const body = toBase64(utf8(q.text))
      this.line.send({ type: 'send', client_id: q.id, conversation: q.conversation, kind: 'message', content: q.content, body })
    }
    if (ready.length > 0) {
      this.tellFlight()
      this.line.expect()
    }
    const next = this.outbox.nextTry()
    this.retryTimer?.()
    this.retryTimer = next === undefined ? undefined : this.ports.clock.after(next - this.ports.clock.now(), () => this.flush())
  }
}

const clientFault = {
  type: 'tag:parley,2026:invalid',
  title: 'invalid',
  status: 400,
  key: 'error.invalid',
  retry: 'never',
} as const
