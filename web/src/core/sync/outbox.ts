// Which message may be sent now. One message a conversation is on its way at a
// time: so a message that is refused for the moment is never overtaken.
import { Backoff, type Clock } from '../clock'
import type { Queued } from '../store/queue'

const mostUnderWay = 64
const firstWaitMs = 2_000
const longestWaitMs = 5 * 60_000

interface Hold {
  until: number
  backoff: Backoff
}

/** The queue in memory: what waits, what is under way, what is held. */
export class Outbox {
  private list: readonly Queued[] = []
  /** Client id to conversation. */
  private readonly flight = new Map<string, string>()
  private readonly holds = new Map<string, Hold>()
  private allHeldUntil = 0
  private bucket = { tokens: 50, burst: 50, rate: 20, filled: 0 }

  constructor(private readonly clock: Clock) {}

  /** How fast frames may go out: so many at once, then so many a second. */
  pace(burst: number, rate: number): void {
    this.bucket = { tokens: burst, burst, rate, filled: this.clock.now() }
  }

  private refill(now: number): void {
    const b = this.bucket
    b.tokens = Math.min(b.burst, b.tokens + ((now - b.filled) / 1000) * b.rate)
    b.filled = now
  }

  /** The queue as it is stored. */
  set items(items: readonly Queued[]) {
    this.list = items
    const ids = new Set(items.map((q) => q.id))
    for (const id of this.flight.keys()) if (!ids.has(id)) this.flight.delete(id)
  }

  get items(): readonly Queued[] {
    return this.list
  }

  find(id: string): Queued | undefined {
    return this.list.find((q) => q.id === id)
  }

  get underWay(): readonly string[] {
    return [...this.flight.keys()]
  }

  /** Messages that may be sent now, in order; they count as under way from here on. */
  take(): Queued[] {
    const now = this.clock.now()
    if (now < this.allHeldUntil) return []
    this.refill(now)
    const busy = new Set(this.flight.values())
    const ready: Queued[] = []
    for (const q of this.list) {
      if (this.flight.size >= mostUnderWay) break
      if (q.failed !== undefined || busy.has(q.conversation)) continue
      busy.add(q.conversation)
      if (now < (this.holds.get(q.conversation)?.until ?? 0)) continue
      if (this.bucket.tokens < 1) break
      this.bucket.tokens--
      this.flight.set(q.id, q.conversation)
      ready.push(q)
    }
    return ready
  }

  /** When something that is held may be tried again; undefined when nothing is. */
  nextTry(): number | undefined {
    const now = this.clock.now()
    const waiting = new Set(this.list.filter((q) => q.failed === undefined).map((q) => q.conversation))
    const times = [...this.holds].filter(([c]) => waiting.has(c)).map(([, h]) => h.until)
    if (waiting.size > 0) times.push(this.allHeldUntil)
    if (waiting.size > 0 && this.bucket.tokens < 1) times.push(now + 1000 / this.bucket.rate)
    const later = times.filter((t) => t > now)
    return later.length > 0 ? Math.min(...later) : undefined
  }

  /** The server has taken these, or will never take them. */
  settled(ids: readonly string[]): void {
    for (const id of ids) {
      const conversation = this.flight.get(id)
      if (conversation !== undefined) this.holds.delete(conversation)
      this.flight.delete(id)
    }
    const gone = new Set(ids)
    this.list = this.list.filter((q) => !gone.has(q.id))
  }

  /** The server will never take this message; the next one may go. */
  refused(id: string): void {
    this.flight.delete(id)
  }

  /** The server will not take this message for now; its conversation waits. */
  hold(id: string, seconds: number | undefined): void {
    const conversation = this.flight.get(id) ?? this.find(id)?.conversation
    this.flight.delete(id)
    if (conversation === undefined) return
    const backoff = this.holds.get(conversation)?.backoff ?? new Backoff(this.clock, firstWaitMs, longestWaitMs)
    this.holds.set(conversation, { backoff, until: this.clock.now() + backoff.next((seconds ?? 0) * 1000) })
  }

  /** Nothing is sent for a while. */
  holdAll(seconds: number): void {
    this.allHeldUntil = this.clock.now() + seconds * 1000
  }

  /** The connection is lost: whatever was under way has to be sent again. */
  lost(): void {
    this.flight.clear()
  }

  /** The person wants it now. */
  release(): void {
    this.holds.clear()
    this.allHeldUntil = 0
  }
}
