// One conversation on screen: a window into its history, and what waits to be
// sent below it.
import { computed, signal, type ReadonlySignal } from '@preact/signals'
import type { Book, Page } from './book'
import { deliveredIn, queueState } from './book'
import { randomId, utf8 } from './bytes'
import { ApiError } from './call'
import { realClock, type Cancel } from './clock'
import { otherIn } from './conversation'
import { flightIds, typingIn } from './live'
import { storeError } from './storage'
import type { Stored } from './store/history'
import type { Queued } from './store/queue'
import { textBytes } from './sync/entries'
import type { Chat, Message, Notice } from './types'

const draftEveryMs = 400

const keyOf = (from: string, id: string): string => `${from}/${id}`

/** A conversation while it is on screen. */
export class ChatView implements Chat, Page {
  readonly person: string
  readonly older = signal<boolean | undefined>(undefined)
  readonly draft = signal('')
  readonly typing: ReadonlySignal<readonly string[]>
  readonly messages: ReadonlySignal<readonly Message[]>
  readonly notices: ReadonlySignal<readonly Notice[]>
  readonly loaded: Promise<void>

  private readonly me: string
  private readonly window = signal<readonly Stored[]>([])
  private shown = new Map<string, Message>()
  private readTo = 0
  private loadingOlder: Promise<void> | undefined
  private draftWaits: Cancel | undefined
  private draftKept = 0
  private typed = false
  private closed = false

  constructor(
    private readonly book: Book,
    readonly conversation: string,
  ) {
    this.me = book.account.me
    this.person = otherIn(conversation, this.me)
    this.typing = typingIn(conversation)
    this.messages = computed(() => this.bubbles())
    this.notices = computed(() => this.standing())
    this.loaded = this.load()
    this.loaded.catch(storeError)
    book.pages.add(this)
  }

  private async load(): Promise<void> {
    const { history, shelf } = this.book.account
    const [page, draft] = await Promise.all([history.before(this.conversation, Infinity), shelf.draft(this.conversation)])
    if (!this.typed) this.draft.value = draft
    this.window.value = page
    this.older.value = page.length > 0 && (await this.hasOlder(page))
  }

  private async hasOlder(page: readonly Stored[]): Promise<boolean> {
    const first = page[0]?.s
    return first !== undefined && (await this.book.account.history.before(this.conversation, first)).length > 0
  }

  loadOlder(): Promise<void> {
    this.loadingOlder ??= this.readOlder().finally(() => (this.loadingOlder = undefined))
    return this.loadingOlder
  }

  private async readOlder(): Promise<void> {
    await this.loaded
    const first = this.window.peek()[0]?.s
    if (first === undefined || !this.older.peek()) return
    const page = await this.book.account.history.before(this.conversation, first)
    const older = page.length > 0 && (await this.hasOlder(page))
    // The conversation may have been deleted meanwhile.
    if (this.window.peek()[0]?.s !== first) return
    this.window.value = [...page, ...this.window.peek()]
    this.older.value = older
  }

  async read(): Promise<() => void> {
    await this.loaded.catch(() => undefined)
    const { history } = this.book.account
    if (!(await history.chat(this.conversation))) {
      return () => {
        this.window.value = []
        this.older.value = false
      }
    }
    const last = this.window.peek().at(-1)?.s ?? 0
    const fresh = await history.after(this.conversation, last)
    return () => {
      const now = this.window.peek().at(-1)?.s ?? 0
      const added = fresh.filter((m) => m.s > now)
      if (added.length > 0) this.window.value = [...this.window.peek(), ...added]
    }
  }

  private bubbles(): readonly Message[] {
    const chat = this.book.stored.value.get(this.conversation)
    const delivered = chat ? deliveredIn(chat) : 0
    const flight = flightIds.value
    const next = new Map<string, Message>()
    const show = (message: Message): void => {
      const before = this.shown.get(message.key)
      next.set(message.key, before && same(before, message) ? before : message)
    }
    for (const m of this.window.value) show(this.storedBubble(m, delivered))
    for (const q of this.book.queue.value) {
      // A message that has just moved to the history is still in an older reading of the queue.
      if (q.conversation === this.conversation && !next.has(keyOf(this.me, q.id))) show(this.queuedBubble(q, flight))
    }
    this.shown = next
    return [...next.values()]
  }

  private storedBubble(m: Stored, delivered: number): Message {
    const mine = m.from === this.me
    const message: Message = { key: keyOf(m.from, m.id), mine, from: m.from, at: m.at, state: mine && m.s <= delivered ? 'delivered' : 'sent' }
    if (m.text !== undefined) message.text = m.text
    return message
  }

  private queuedBubble(q: Queued, flight: ReadonlySet<string>): Message {
    const message: Message = { key: keyOf(this.me, q.id), mine: true, from: this.me, text: q.text, at: q.at, state: queueState(q, flight) }
    if (q.failed !== undefined) message.reason = q.failed
    return message
  }

  // A notice stands above the first message that came after it; of several
  // between the same two messages the last one is enough.
  private standing(): readonly Notice[] {
    const window = this.window.value
    const first = window[0]?.s ?? Infinity
    const byPlace = new Map<string, Notice>()
    for (const { kind, at, s } of this.book.notices.value) {
      if (s < first && this.older.value !== false) continue
      const next = window.find((m) => m.s >= s)
      const notice: Notice = next ? { kind, at, above: keyOf(next.from, next.id) } : { kind, at }
      byPlace.set(`${kind} ${notice.above ?? ''}`, notice)
    }
    return [...byPlace.values()]
  }

  async send(text: string): Promise<void> {
    if (text.trim() === '') throw new ApiError('invalid', 'message.empty')
    if (utf8(text).length > textBytes) throw new ApiError('too-large', 'message.too-large')
    const { conversation } = this
    // At once: what is typed from here on is the next message's draft.
    this.draftWaits?.()
    this.draftWaits = undefined
    this.draftKept = 0
    this.typed = true
    this.draft.value = ''
    this.book.setDraft(conversation, false)
    this.setTyping(false)
    try {
      await this.book.add({ conversation, at: new Date().toISOString(), id: randomId(), text })
    } catch (cause) {
      if (this.draft.peek() === '') this.setDraft(text)
      throw storeError(cause)
    }
  }

  private queued(key: string): Queued | undefined {
    return this.book.queue.peek().find((q) => q.failed !== undefined && keyOf(this.me, q.id) === key)
  }

  async retry(key: string): Promise<void> {
    const item = this.queued(key)
    if (!item) return
    await this.book.account.queue.retry(item)
    await this.book.queueTouched()
  }

  async discard(key: string): Promise<void> {
    const item = this.queued(key)
    if (!item) return
    await this.book.account.queue.discard(item)
    await this.book.queueTouched()
  }

  markRead(): void {
    const last = this.window.peek().at(-1)?.s ?? 0
    const read = this.book.stored.peek().get(this.conversation)?.read ?? 0
    if (last <= Math.max(read, this.readTo)) return
    this.readTo = last
    this.book.account.hub.command({ do: 'read', conversation: this.conversation, position: last }).catch(() => {
      this.readTo = 0
    })
  }

  setTyping(on: boolean): void {
    this.book.account.hub.command({ do: 'typing', conversation: this.conversation, on }).catch(() => undefined)
  }

  setDraft(text: string): void {
    this.draft.value = text
    this.typed = true
    if (this.draftWaits) return
    // The first change at once, then at most so often.
    if (Date.now() - this.draftKept >= draftEveryMs) this.writeDraft()
    else this.draftWaits = realClock.after(draftEveryMs, () => this.keepDraft())
  }

  /** Writes the draft now, if it has changed. */
  keepDraft(): void {
    if (!this.draftWaits) return
    this.draftWaits()
    this.draftWaits = undefined
    this.writeDraft()
  }

  private writeDraft(): void {
    this.draftKept = Date.now()
    const text = this.draft.peek()
    const there = text.trim() !== ''
    this.book.setDraft(this.conversation, there)
    this.book.keepDraft(this.conversation, there ? text : '').catch(storeError)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.keepDraft()
    this.book.pages.delete(this)
  }
}

const same = (a: Message, b: Message): boolean =>
  a.state === b.state && a.at === b.at && a.text === b.text && a.reason === b.reason
