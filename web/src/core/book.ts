// The conversations of the signed-in person, as the screens see them. It reads
// the store and is told by news what to read again; the queue always before the
// history, so that a message that moves is seen twice rather than not at all.
import { batch, computed, signal } from '@preact/signals'
import type { Account } from './account'
import { isChat, otherIn } from './conversation'
import { flightIds } from './live'
import { storeError } from './storage'
import type { Chat as StoredChat } from './store/history'
import type { Queued } from './store/queue'
import type { NoticeItem } from './store/schema'
import { textContent } from './sync/entries'
import type { News } from './tabs/messages'
import type { ChatSummary, MessageState } from './types'

/** An open conversation that wants its new messages. */
export interface Page {
  readonly conversation: string
  /** Reads what is new and returns a function that shows it. */
  read(): Promise<() => void>
}

/** All conversations, and the send queue under them. */
export class Book {
  readonly stored = signal<ReadonlyMap<string, StoredChat>>(new Map())
  readonly queue = signal<readonly Queued[]>([])
  readonly drafts = signal<ReadonlySet<string>>(new Set())
  /** Counts the beginnings and ends of writing drafts in this tab. */
  private draftsTouched = 0
  readonly notices = signal<readonly NoticeItem[]>([])
  readonly pages = new Set<Page>()

  readonly chats = computed(() => this.summaries())
  readonly unread = computed(() => {
    let sum = 0
    for (const [c, chat] of this.stored.value) if (isChat(c)) sum += chat.unread.length
    return sum
  })

  private readonly dirty = new Set<string>()
  private queueDirty = false
  private refreshing: Promise<void> | undefined
  private adding: Promise<unknown> = Promise.resolve()

  constructor(readonly account: Account) {
    account.hear.add((news) => this.heard(news))
  }

  /** Reads everything that the list of chats shows. What changes meanwhile is read again afterwards. */
  load(): Promise<void> {
    this.refreshing = this.readUntilFresh(() => this.readAll())
    return this.refreshing
  }

  private async readAll(): Promise<void> {
    const { history, queue, shelf } = this.account
    const [queued, drafts, notices] = await Promise.all([queue.all(), shelf.drafts(), history.notices()])
    const chats = await history.chats()
    batch(() => {
      this.queue.value = queued
      this.drafts.value = new Set(drafts)
      this.notices.value = notices
      this.stored.value = new Map(chats.map((c) => [c.conversation, c]))
    })
  }

  private heard(news: News): void {
    if (news.news === 'changed') for (const c of news.conversations) this.dirty.add(c)
    else if (news.news === 'queue') this.queueDirty = true
    else return
    void this.refresh().catch(storeError)
  }

  /** Reads again what has changed; resolves when it is shown. */
  refresh(): Promise<void> {
    this.refreshing ??= this.readUntilFresh()
    return this.refreshing
  }

  private async readUntilFresh(first: () => Promise<void> = async () => undefined): Promise<void> {
    try {
      await first()
      await undefined // whatever is told in the same moment is read together
      while (this.dirty.size > 0 || this.queueDirty) await this.readAgain()
    } finally {
      this.refreshing = undefined
    }
  }

  private async readAgain(): Promise<void> {
    const { history, queue, shelf } = this.account
    const changed = [...this.dirty]
    const withQueue = this.queueDirty || changed.length > 0
    this.dirty.clear()
    this.queueDirty = false
    const touched = this.draftsTouched
    const [queued, drafts] = withQueue ? await Promise.all([queue.all(), shelf.drafts()]) : [undefined, undefined]
    const chats = await Promise.all(changed.map((c) => history.chat(c)))
    const notices = changed.length > 0 ? await history.notices() : this.notices.peek()
    const show = await Promise.all([...this.pages].filter((p) => changed.includes(p.conversation)).map((p) => p.read()))
    batch(() => {
      if (queued) this.queue.value = queued
      // What was read while a draft was being written is older than what is shown.
      if (drafts && touched === this.draftsTouched) this.drafts.value = new Set(drafts)
      if (notices.length !== this.notices.peek().length) this.notices.value = notices
      if (changed.length > 0) this.stored.value = merged(this.stored.peek(), changed, chats)
      for (const apply of show) apply()
    })
  }

  /** Stores a message in the send queue, in the order of the calls. It takes the conversation's draft unless it did not come from it. */
  add(item: Omit<Queued, 'n' | 'content'>, keepDraft = false): Promise<void> {
    const mine = this.adding.then(() => this.account.queue.add({ ...item, content: textContent }, keepDraft))
    this.adding = mine.catch(() => undefined)
    return mine.then(() => this.queueTouched())
  }

  /** The queue was changed here: show it and tell the owner. */
  async queueTouched(): Promise<void> {
    this.queueDirty = true
    // The owner reads the store when it is there; a hint that gets lost loses nothing.
    this.account.hub.command({ do: 'queue' }).catch(() => undefined)
    await this.refresh()
  }

  /** Writes a draft, after whatever is being sent: storing a message takes the draft that it came from. */
  keepDraft(conversation: string, text: string): Promise<void> {
    this.draftsTouched++
    const mine = this.adding
      .then(() => this.account.shelf.setDraft(conversation, text))
      .finally(() => this.draftsTouched++)
      .then(() => this.setDraft(conversation, text !== ''))
    this.adding = mine.catch(() => undefined)
    return mine
  }

  /** Shows in the list whether a conversation has a draft. */
  setDraft(conversation: string, there: boolean): void {
    if (this.drafts.peek().has(conversation) === there) return
    const drafts = new Set(this.drafts.peek())
    if (there) drafts.add(conversation)
    else drafts.delete(conversation)
    this.drafts.value = drafts
  }

  private summaries(): ChatSummary[] {
    const waiting = new Map<string, Queued>()
    for (const q of this.queue.value) waiting.set(q.conversation, q)
    const names = new Set([...this.stored.value.keys(), ...waiting.keys(), ...this.drafts.value])
    const rows = [...names].filter(isChat).map((c) => {
      const stored = this.stored.value.get(c)
      const queued = waiting.get(c)
      return { order: queued ? Infinity : (stored?.last?.s ?? 0), at: queued?.at ?? stored?.at ?? '', row: this.summary(c, stored, queued) }
    })
    rows.sort((a, b) => (a.order === b.order ? b.at.localeCompare(a.at) : b.order - a.order))
    return rows.map((r) => r.row)
  }

  private summary(conversation: string, stored: StoredChat | undefined, queued: Queued | undefined): ChatSummary {
    const last = stored?.last
    const row = {
      conversation,
      person: otherIn(conversation, this.account.me),
      unread: stored?.unread.length ?? 0,
      draft: this.drafts.value.has(conversation),
    }
    if (queued) {
      return { ...row, text: queued.text, unknown: false, mine: true, at: queued.at, state: queueState(queued, flightIds.value) }
    }
    const state: MessageState = stored && last && last.s <= deliveredIn(stored) ? 'delivered' : 'sent'
    return { ...row, text: last?.text ?? '', unknown: last?.unknown ?? false, mine: last?.mine ?? false, at: stored?.at ?? '', state }
  }
}

function merged(
  stored: ReadonlyMap<string, StoredChat>,
  names: readonly string[],
  chats: readonly (StoredChat | undefined)[],
): Map<string, StoredChat> {
  const next = new Map(stored)
  for (const [i, name] of names.entries()) {
    const chat = chats[i]
    if (chat) next.set(name, chat)
    else next.delete(name)
  }
  return next
}

/** Up to where a device of anybody else has the conversation. */
export const deliveredIn = (chat: StoredChat): number => Math.max(0, ...Object.values(chat.delivered))

export const queueState = (item: Queued, flight: ReadonlySet<string>): MessageState =>
  item.failed !== undefined ? 'failed' : flight.has(item.id) ? 'sending' : 'queued'
