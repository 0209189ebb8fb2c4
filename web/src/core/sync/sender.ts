// The send queue's part of the conversation with the server (docs/protocol.md
// §4): what is sent when, and what becomes of it.
import { toBase64, utf8 } from '../bytes'
import type { Cancel } from '../clock'
import type { Queued } from '../store/queue'
import type { ClientFrame, Entry } from '../wire'
import { Outbox } from './outbox'
import type { EventOf, Ports } from './ports'

/** The connection, as far as the sender needs it. */
interface Way {
  send(frame: ClientFrame): boolean
  /** An answer is due. */
  expect(): void
  /** Messages may go out now. */
  clear(): boolean
}

/** What waits, what is under way, and what the server said about it. */
export class Sender {
  private readonly outbox: Outbox
  /** The send queue in the store has changed since its last reading began. */
  private stale = false
  private reading: Promise<void> | undefined
  /** Messages that the server has accepted before; the sync brings their entries. */
  private readonly known = new Set<string>()
  private lastSent: string | undefined
  private timer: Cancel | undefined

  constructor(
    private readonly ports: Pick<Ports, 'me' | 'clock' | 'history' | 'queue' | 'listener'>,
    private readonly way: Way,
  ) {
    this.outbox = new Outbox(ports.clock)
  }

  find(id: string): Queued | undefined {
    return this.outbox.find(id)
  }

  /** The place in the queue of an entry that is one's own. */
  queued(e: Pick<Entry, 'from' | 'client_id'>): Queued | undefined {
    return e.from === this.ports.me ? this.outbox.find(e.client_id) : undefined
  }

  /**
   * Reads the send queue from the store. One reading at a time; one that began
   * before another change ended would miss it, or bring back what is gone, and
   * is done once more.
   */
  read(): Promise<void> {
    this.stale = true
    this.reading ??= this.readUntilFresh()
    return this.reading
  }

  private async readUntilFresh(): Promise<void> {
    try {
      let items: Queued[] = []
      while (this.stale) {
        this.stale = false
        items = await this.ports.queue.all()
      }
      this.outbox.items = items
    } finally {
      this.reading = undefined
    }
  }

  /** The limits of this connection. */
  welcomed({ frame_burst, frame_rate }: EventOf<'welcome'>['limits']): void {
    // Half of it, so that there is room for everything that is no message.
    this.outbox.pace(frame_burst / 2, frame_rate / 2)
  }

  /** The connection is lost. */
  lost(): void {
    this.outbox.lost()
    this.tellFlight()
  }

  stop(): void {
    this.timer?.()
  }

  /** The person does not want to wait. */
  release(): void {
    this.outbox.release()
    this.flush()
  }

  /** The server wants fewer frames. */
  holdAll(seconds: number): void {
    this.outbox.holdAll(seconds)
  }

  /** Sends what may be sent now, and arranges to come back for the rest. */
  flush(): void {
    if (!this.way.clear()) return
    const ready = this.outbox.take()
    for (const q of ready) {
      this.lastSent = q.id
      const { id: client_id, conversation, content } = q
      this.way.send({ type: 'send', client_id, conversation, kind: 'message', content, body: toBase64(utf8(q.text)) })
    }
    if (ready.length > 0) {
      this.tellFlight()
      this.way.expect()
    }
    const { clock } = this.ports
    const next = this.outbox.nextTry()
    this.timer?.()
    this.timer = next === undefined ? undefined : clock.after(next - clock.now(), () => this.flush())
  }

  /** These are no longer in the queue. */
  settle(ids: readonly string[]): void {
    if (ids.length === 0) return
    this.stale = true
    this.outbox.settled(ids)
    for (const id of ids) this.known.delete(id)
    this.tellFlight()
    this.ports.listener.queueChanged()
  }

  /** What waits in conversations and is not under way. */
  waitingIn(conversations: readonly string[]): Queued[] {
    const underWay = new Set(this.outbox.underWay)
    return this.outbox.items.filter((q) => conversations.includes(q.conversation) && !underWay.has(q.id))
  }

  /** The server has accepted this before. Resolves with whether a sync has to bring the entry. */
  async wasAccepted(id: string): Promise<boolean> {
    const item = this.outbox.find(id)
    if (!item) return false
    if (!(await this.ports.history.has(this.ports.me, id))) {
      this.known.add(id)
      return true
    }
    await this.ports.queue.discard(item)
    this.settle([id])
    this.flush()
    return false
  }

  /** Messages that were accepted before and that a complete sync has not brought. */
  takeKnown(): Queued[] {
    const items = [...this.known].map((id) => this.outbox.find(id)).filter((q) => q !== undefined)
    this.known.clear()
    return items
  }

  async refused({ client_id: id, problem }: EventOf<'refused'>): Promise<void> {
    if (problem.retry === 'never') await this.giveUp(id, problem.key)
    else this.outbox.hold(id, problem.retry_after)
    this.tellFlight()
    this.flush()
  }

  /** The server closed the connection over the size of the last frame. */
  async tooLarge(): Promise<void> {
    if (this.lastSent !== undefined) await this.giveUp(this.lastSent, 'message.too-large')
  }

  private async giveUp(id: string, key: string): Promise<void> {
    const item = this.outbox.find(id)
    if (!item) return
    this.outbox.refused(id)
    await this.ports.queue.fail(item, key)
    await this.read()
    this.ports.listener.queueChanged()
  }

  private tellFlight(): void {
    this.ports.listener.flight(this.outbox.underWay)
  }
}
