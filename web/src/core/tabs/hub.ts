// One tab among the tabs of a person. The tab that holds the lock is the owner:
// it has the socket and writes the history. The others read the store, ask the
// owner, and take over when it is gone.
import type { Cancel, Clock } from '../clock'
import { randomId } from '../bytes'
import type { Database } from '../store/database'
import { HistoryWriter } from '../store/writer'
import { QuotaFull } from '../store/idb'
import { Queue } from '../store/queue'
import { Engine, recentMs } from '../sync/engine'
import type { Api, Dial, Listener } from '../sync/ports'
import type { Presence } from '../wire'
import { Crowd } from './crowd'
import type { Channel, Command, Locks, News, TabMessage, TabStatus } from './messages'

/** The lock that makes a tab the owner. It is one for the browser profile, not for a person. */
export const ownerLock = 'parley-owner'

/** An owner that does not answer for so long is frozen; its lock is taken. */
const answerWithinMs = 4_000
const statusEveryMs = 45_000

export interface HubPorts {
  me: string
  build: string
  clock: Clock
  dial: Dial
  api: Api
  locks: Locks
  channel: () => Channel
  db: Database
  /** A record did not open. */
  damaged: () => void
  /** News for this tab. */
  hear: (news: News) => void
}

interface Owner {
  engine: Engine
  crowd: Crowd
  release: () => void
  presence: Map<string, Presence | undefined>
  /** The news that a tab needs when it comes later. */
  last: Map<'connection' | 'flight', News>
}

interface Waiting {
  command: Command
  done: () => void
  failed: (cause: Error) => void
}

/** One tab. It may be stopped and started again. */
export class Hub {
  private readonly tab = randomId()
  private channel: Channel | undefined
  private owner: Owner | undefined
  /** Holds the lock and is reading the store. */
  private beginning = false
  private running: AbortController | undefined
  private status: TabStatus
  /** When the person last did something in this tab. */
  private touched = -Infinity
  private readonly waiting = new Map<string, Waiting>()
  private repeat: Cancel | undefined
  private answer: Cancel | undefined

  constructor(
    private readonly ports: HubPorts,
    status: TabStatus,
  ) {
    this.status = status
    this.touch()
  }

  private touch(): void {
    if (this.status.active) this.touched = this.ports.clock.now()
  }

  get isOwner(): boolean {
    return this.owner !== undefined
  }

  /** Joins the tabs; becomes the owner when nobody is. */
  start(): void {
    if (this.running) return
    const running = new AbortController()
    this.running = running
    this.channel = this.ports.channel()
    this.channel.listen((message) => this.heard(message))
    this.sayStatus()
    this.ask()
    void this.own(running, false)
  }

  /** Leaves; another tab takes over at once. */
  stop(): void {
    if (!this.running) return
    this.channel?.post({ t: 'bye', tab: this.tab })
    this.running.abort()
    this.running = undefined
    this.endOwning()
    this.repeat?.()
    this.answer?.()
    this.answer = undefined
    this.channel?.close()
    this.channel = undefined
    for (const { failed } of this.waiting.values()) failed(new Error('the hub has stopped'))
    this.waiting.clear()
  }

  /** What this tab shows and whether somebody is there has changed. */
  setStatus(change: Partial<TabStatus>): void {
    this.status = { ...this.status, ...change }
    this.touch()
    this.sayStatus()
  }

  /** The device came back to the screen or to the network. */
  wake(): void {
    if (this.owner) this.owner.engine.wake()
    else this.ask()
  }

  /**
   * Has the owner do something. Resolves when it is done, by whichever tab owns
   * the store then; rejects when the store refused it.
   */
  command(command: Command): Promise<void> {
    if (this.owner) return this.obey(this.owner.engine, command)
    const id = randomId()
    return new Promise((done, failed) => {
      this.waiting.set(id, { command, done, failed })
      this.channel?.post({ t: 'command', id, command })
      this.expectAnswer()
    })
  }

  // --- Among the tabs

  private heard(message: TabMessage): void {
    switch (message.t) {
      case 'news':
        this.answered()
        this.ports.hear(message.news)
        return
      case 'owner':
        this.answered()
        this.sayStatus()
        this.ask()
        for (const [id, { command }] of this.waiting) this.channel?.post({ t: 'command', id, command })
        return
      case 'here':
        this.answered()
        return
      case 'done':
        this.finished(message.id, message.failed === true)
        return
      default:
        if (this.owner) this.heardAsOwner(this.owner, message)
    }
  }

  private heardAsOwner(owner: Owner, message: TabMessage): void {
    switch (message.t) {
      case 'status':
        owner.crowd.put(message.tab, message.status)
        this.tellEngine(owner)
        return
      case 'bye':
        owner.crowd.remove(message.tab)
        this.tellEngine(owner)
        return
      case 'who':
        this.catchUp(owner)
        return
      case 'command':
        void this.obey(owner.engine, message.command).then(
          () => this.channel?.post({ t: 'done', id: message.id }),
          () => this.channel?.post({ t: 'done', id: message.id, failed: true }),
        )
    }
  }

  private sayStatus(): void {
    this.repeat?.()
    if (this.owner) {
      this.owner.crowd.put(this.tab, this.status)
      this.tellEngine(this.owner)
    } else {
      this.channel?.post({ t: 'status', tab: this.tab, status: this.status })
    }
    this.status = { ...this.status, active: false }
    this.repeat = this.ports.clock.after(statusEveryMs, () => this.sayStatus())
  }

  private ask(): void {
    if (this.owner) return
    this.channel?.post({ t: 'who' })
    this.expectAnswer()
  }

  // A visible tab does not wait for an owner that the browser has frozen.
  private expectAnswer(): void {
    this.answer ??= this.ports.clock.after(answerWithinMs, () => {
      this.answer = undefined
      if (this.owner || this.beginning || !this.running || !this.status.visible) return
      this.running.abort()
      this.running = new AbortController()
      void this.own(this.running, true)
    })
  }

  private answered(): void {
    this.answer?.()
    this.answer = undefined
  }

  private finished(id: string, failed: boolean): void {
    this.answered()
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (failed) waiting?.failed(new Error('the owner could not do it'))
    else waiting?.done()
  }

  // --- As the owner

  // Waits for the lock and owns the store while it is held; again and again
  // until the hub stops.
  private async own(running: AbortController, steal: boolean): Promise<void> {
    let force = steal
    while (this.running === running) {
      const options = force ? { steal: true } : { signal: running.signal }
      force = false
      try {
        await this.ports.locks.request(ownerLock, options, () => this.hold(running))
      } catch {
        // Given up by stop, or stolen: then the store belongs to another tab.
        if (this.running === running) this.endOwning()
      }
    }
  }

  private async hold(running: AbortController): Promise<void> {
    if (this.running !== running) return
    let release = (): void => undefined
    const released = new Promise<void>((ok) => (release = ok))
    this.beginning = true
    try {
      await this.begin(release)
    } catch (cause) {
      this.tell(trouble(cause))
      // Do not spin: the next try comes when the lock is asked for again.
      await new Promise<void>((ok) => this.ports.clock.after(answerWithinMs, ok))
      return
    } finally {
      this.beginning = false
    }
    if (this.running === running) await released
    this.endOwning()
  }

  private async begin(release: () => void): Promise<void> {
    const { db, me, damaged, build, clock, dial, api } = this.ports
    await db.claim()
    const history = new HistoryWriter(db, me, damaged)
    await history.load()
    const queue = new Queue(db, damaged)
    const crowd = new Crowd(clock)
    // What was said before there was an owner reached nobody.
    crowd.put(this.tab, { ...this.status, active: clock.now() - this.touched < recentMs })
    const engine = new Engine({ me, build, clock, dial, api, history, queue, listener: this.listener() }, crowd.activity())
    this.owner = { engine, crowd, release, presence: new Map(), last: new Map() }
    this.answered()
    engine.watch(crowd.watched)
    await engine.start()
    this.channel?.post({ t: 'owner' })
    for (const [id, { command }] of [...this.waiting]) {
      void this.obey(engine, command).then(
        () => this.finished(id, false),
        () => this.finished(id, true),
      )
    }
  }

  private endOwning(): void {
    const owner = this.owner
    this.owner = undefined
    owner?.engine.stop()
    owner?.release()
  }

  private async obey(engine: Engine, command: Command): Promise<void> {
    switch (command.do) {
      case 'read':
        return engine.read(command.conversation, command.position)
      case 'typing':
        return engine.typing(command.conversation, command.on)
      case 'remove':
        return engine.remove(command.conversations)
      case 'queue':
        await engine.queueChanged()
        return this.tell({ news: 'queue' })
      case 'sources':
        return this.tell({ news: 'sources', by: command.by })
      case 'dial':
        return engine.retryNow()
    }
  }

  private tellEngine({ engine, crowd }: Owner): void {
    engine.watch(crowd.watched)
    engine.activity(crowd.activity())
  }

  private catchUp(owner: Owner): void {
    this.channel?.post({ t: 'here' })
    for (const news of owner.last.values()) this.channel?.post({ t: 'news', news })
    for (const [person, presence] of owner.presence) {
      this.channel?.post({ t: 'news', news: { news: 'presence', person, presence } })
    }
  }

  private tell(news: News): void {
    if (this.owner) {
      if (news.news === 'connection' || news.news === 'flight') this.owner.last.set(news.news, news)
      if (news.news === 'presence') this.owner.presence.set(news.person, news.presence)
      if (news.news === 'connection' && news.state === 'offline') this.owner.presence.clear()
    }
    this.channel?.post({ t: 'news', news })
    this.ports.hear(news)
  }

  // An engine that this tab has stopped has nothing to tell: the tabs listen to
  // the next owner by then.
  private listener(): Listener {
    const tell = (news: News): void => {
      if (this.owner) this.tell(news)
    }
    return {
      connection: (state) => tell({ news: 'connection', state }),
      changed: (conversations) => {
        if (conversations.length > 0) tell({ news: 'changed', conversations })
      },
      queueChanged: () => tell({ news: 'queue' }),
      flight: (ids) => tell({ news: 'flight', ids }),
      presence: (person, presence) => tell({ news: 'presence', person, presence }),
      card: (person) => tell({ news: 'card', person }),
      contacts: (version) => tell({ news: 'contacts', version }),
      typing: (conversation, person, on) => tell({ news: 'typing', conversation, person, on }),
      problem: (problem, frame) => tell({ news: 'problem', key: problem.key, frame }),
      ended: (reason) => tell({ news: 'ended', reason }),
      stranger: () => tell({ news: 'stranger' }),
      outdated: () => tell({ news: 'outdated' }),
      storeFailed: (cause) => tell(trouble(cause)),
      deposed: () => this.endOwning(),
    }
  }
}

const trouble = (cause: unknown): News => ({ news: 'trouble', trouble: cause instanceof QuotaFull ? 'quota' : 'failed' })
