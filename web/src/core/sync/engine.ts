// The sync engine (docs/protocol.md §3-6, §8): the owner tab's conversation with
// the server. It applies the log in its order, acknowledges only what is on the
// disk, and empties the send queue. It touches neither the page nor the network
// itself.
import { closeCode, limit, protocolVersion } from '../../api.gen'
import { ApiError } from '../call'
import { Backoff, type Cancel } from '../clock'
import { Deposed } from '../store/database'
import type { Arrival, Batch } from '../store/writer'
import type { ServerEvent } from '../wire'
import { Chain } from './chain'
import { arrivalOf, arrivalOfQueued } from './entries'
import { Line } from './line'
import { Marker } from './marker'
import type { Activity, EventOf, Ports } from './ports'
import { Sender } from './sender'
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
/** Somebody who did something here this recently is active when the device connects: a redial must not make them Away. */
export const recentMs = 5 * 60_000

/** One owner's engine: made for a loaded history, started once, stopped once. */
export class Engine {
  private state: State = 'stopped'
  /** Counts connections and stops: work that began under another number is void. */
  private run = 0
  private chain = new Chain('')
  private epoch = ''
  private readonly line: Line
  private readonly sender: Sender
  private readonly marker: Marker
  private readonly typist: Typist
  private readonly storeWaits: Backoff
  private inbox: ServerEvent[] = []
  private pumping = false
  private updateTimer: Cancel | undefined
  private activityNow: Activity
  private touched = -Infinity // when the person last did something here
  private watched: readonly string[] = []

  constructor(
    private readonly ports: Ports,
    activity: Activity,
  ) {
    const { clock, listener } = ports
    this.activityNow = activity
    if (activity.active) this.touched = clock.now()
    this.storeWaits = new Backoff(clock, storeWaitMs, longestStoreWaitMs)
    this.line = new Line(clock, ports.dial, {
      opened: () => this.greet(),
      events: (events) => this.receive(events),
      lost: (code) => this.lost(code),
      state: (connection) => listener.connection(connection),
      probe: () => ports.api.session(),
      ended: () => this.end('expired'),
    })
    this.sender = new Sender(ports, {
      send: (frame) => this.line.send(frame),
      expect: () => this.line.expect(),
      clear: () => this.state === 'streaming',
    })
    this.marker = new Marker(ports, (frame) => this.line.send(frame), (answered) => this.line.check(answered))
    this.typist = new Typist(clock, (conversation, on) => {
      if (this.state === 'streaming') this.line.send({ type: 'typing', conversation, on })
    })
  }

  /** Reads the store and dials. The history must have been loaded. */
  async start(): Promise<void> {
    this.state = 'greeting'
    await this.sender.read()
    if (this.state === 'greeting') this.line.start()
  }

  stop(): void {
    if (this.state === 'stopped') return
    this.state = 'stopped'
    this.reset()
    this.updateTimer?.()
    this.sender.stop()
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
    this.line.now()
    this.sender.release()
  }

  /** Somebody changed the send queue in the store. */
  async queueChanged(): Promise<void> {
    await this.sender.read()
    this.sender.flush()
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
    if (active) this.touched = this.ports.clock.now()
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
    const waiting = this.sender.waitingIn(conversations)
    await this.ports.history.remove(conversations, waiting.map((q) => q.n))
    this.ports.listener.changed(conversations)
    this.sender.settle(waiting.map((q) => q.id))
  }

  private get greeted(): boolean {
    return this.state === 'streaming' || this.state === 'syncing'
  }

  // --- The connection

  private greet(): void {
    const { visible, timeZone } = this.activityNow
    this.line.send({
      type: 'hello',
      protocol: protocolVersion,
      build: this.ports.build,
      cursor: this.ports.history.now.cursor,
      visible,
      active: this.ports.clock.now() - this.touched < recentMs,
      time_zone: timeZone,
    })
  }

  private reset(): void {
    this.run++
    this.inbox = []
    this.sender.lost()
  }

  private lost(code: number): void {
    const { listener } = this.ports
    if (this.state === 'stopped') return
    this.state = 'greeting'
    this.reset()
    if (code === closeCode.frameTooBig) void this.guard(() => this.sender.tooLarge())
    if (code === closeCode.malformed) listener.problem(clientFault, 'hello')
    if (code === closeCode.signedOut) this.end('signed-out')
    if (code === closeCode.tooOld) {
      listener.outdated()
      this.updateTimer?.()
      this.updateTimer = this.ports.clock.after(outdatedWaitMs, () => this.line.start())
    }
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
    this.sender.welcomed(e.limits)
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
    this.sender.flush()
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
      else if (e.type === 'known') gap = (await this.sender.wasAccepted(e.client_id)) || gap
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
    if (e.type === 'accepted' && !this.sender.find(e.client_id) && e.prev === this.chain.cursor) return true
    const step = this.chain.step(e.prev, e.cursor)
    if (step === 'apply') log.push(e)
    return step === 'gap'
  }

  private async applyLog(log: readonly LogEvent[]): Promise<void> {
    const cursor = log.at(-1)?.cursor ?? ''
    const arrivals = log.map((e) => this.arrival(e)).filter((a) => a !== undefined)
    await this.store({ arrivals, cursor, epoch: this.epoch })
    this.sender.flush()
  }

  private arrival(e: LogEvent): Arrival | undefined {
    if (e.type === 'entry') return arrivalOf(e, this.sender.queued(e))
    const queued = this.sender.find(e.client_id)
    return queued && arrivalOfQueued(this.ports.me, queued, e)
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
    this.sender.settle(batch.arrivals.filter((a) => a.queued !== undefined).map((a) => a.id))
    for (const a of batch.arrivals) if (a.from !== me) listener.typing(a.conversation, a.from, false)
    await this.marker.again()
    for (const c of changed) while (await history.pack(c));
  }

  private async event(e: ServerEvent): Promise<void> {
    const { listener } = this.ports
    switch (e.type) {
      case 'welcome':
        this.welcome(e)
        return
      case 'refused':
        await this.sender.refused(e)
        return
      case 'presence':
        listener.presence(e.person, e.presence)
        return
      case 'card':
        listener.card(e.person)
        return
      case 'contacts':
        listener.contacts(e.version)
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
    if (e.problem.title === 'too-many') this.sender.holdAll(e.problem.retry_after ?? 1)
    // Without these the log does not flow.
    if (e.frame === 'hello' || e.frame === 'resume') this.line.fail((e.problem.retry_after ?? 1) * 1000)
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
      const arrivals = page.entries.map((e) => arrivalOf(e, this.sender.queued(e)))
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
    const items = this.sender.takeKnown()
    if (items.length > 0) await this.store({ arrivals: items.map((q) => arrivalOfQueued(this.ports.me, q)) })
  }
}

const clientFault = {
  type: 'tag:parley,2026:invalid',
  title: 'invalid',
  status: 400,
  key: 'error.invalid',
  retry: 'never',
} as const
