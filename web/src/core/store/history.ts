// The history: messages in their order, one copy each, packed into pages once
// they are older. Any tab reads it; writer.ts writes it.
import { read, result } from './idb'
import type { Database } from './database'
import {
  type ChatBox,
  type ChatRecord,
  type MessageBox,
  type MessageRecord,
  type NoticeItem,
  type PageItem,
  type PageRecord,
  type Place,
} from './schema'

/** A message as the history gives it back. */
export interface Stored extends MessageBox {
  conversation: string
  s: number
  at: string
}

/** A conversation as the history gives it back. */
export interface Chat extends ChatBox {
  conversation: string
  at: string
}

/** Messages of a page, packed or shown. */
export const pageSize = 64

/** The place of a device that has read nothing. */
export const start: Place = { cursor: '', epoch: '', marks: '', next: 1 }

export const messagePlace = (c: string, s: number): string => `messages/${c}/${s}`
export const pagePlace = (c: string, s: number): string => `pages/${c}/${s}`
export const chatPlace = (c: string): string => `chats/${c}`
/** The keys of a conversation's records strictly between two positions. */
export const within = (c: string, above: number, below: number): IDBKeyRange =>
  IDBKeyRange.bound([c, above], [c, below], true, true)

/** Reads the history. A record that does not open is left out and reported. */
export class History {
  constructor(
    protected readonly db: Database,
    protected readonly me: string,
    /** Called when a record is left out because it does not open. */
    protected readonly damaged: () => void,
  ) {}

  async place(): Promise<Place> {
    return { ...start, ...(await this.db.meta('place')) }
  }

  async notices(): Promise<NoticeItem[]> {
    const box = await this.db.meta('notices')
    return box ? await this.db.sealer.open<NoticeItem[]>('meta/notices', box).catch(() => this.leftOut([])) : []
  }

  /** All conversations, in no order. */
  async chats(): Promise<Chat[]> {
    const records = await result(read(this.db.idb, 'chats').objectStore('chats').getAll() as IDBRequest<ChatRecord[]>)
    return (await Promise.all(records.map((r) => this.openChat(r)))).filter((c) => c !== undefined)
  }

  async chat(conversation: string): Promise<Chat | undefined> {
    const store = read(this.db.idb, 'chats').objectStore('chats')
    const record = await result(store.get(conversation) as IDBRequest<ChatRecord | undefined>)
    return record && this.openChat(record)
  }

  private async openChat(record: ChatRecord): Promise<Chat | undefined> {
    try {
      const box = await this.db.sealer.open<ChatBox>(chatPlace(record.c), record.box)
      return { ...box, conversation: record.c, at: record.at }
    } catch {
      return this.leftOut(undefined)
    }
  }

  /**
   * Messages before a position, oldest first: the loose ones, else one page.
   * An empty answer means that there are none.
   */
  async before(conversation: string, position: number): Promise<Stored[]> {
    const tx = read(this.db.idb, 'messages', 'pages')
    const range = within(conversation, 0, position)
    const loose = tx.objectStore('messages').getAll(range) as IDBRequest<MessageRecord[]>
    const newest = tx.objectStore('pages').openCursor(range, 'prev') as IDBRequest<IDBCursorWithValue | null>
    const [messages, cursor] = await Promise.all([result(loose), result(newest)])
    if (messages.length > 0) return this.openMessages(messages.slice(-pageSize))
    if (!cursor) return []
    const page = await this.openPage(cursor.value as PageRecord)
    const older = page.filter((m) => m.s < position)
    // A damaged page must not hide what is older than it.
    return older.length > 0 ? older : this.before(conversation, (cursor.value as PageRecord).s)
  }

  /** Messages after a position, oldest first. */
  async after(conversation: string, position: number): Promise<Stored[]> {
    const tx = read(this.db.idb, 'messages', 'pages')
    const loose = tx.objectStore('messages').getAll(within(conversation, position, Infinity)) as IDBRequest<MessageRecord[]>
    // Pages that begin later, and the one that may hold the position.
    const late = tx.objectStore('pages').getAll(within(conversation, position, Infinity)) as IDBRequest<PageRecord[]>
    const until = IDBKeyRange.bound([conversation, 0], [conversation, position])
    const around = tx.objectStore('pages').openCursor(until, 'prev') as IDBRequest<IDBCursorWithValue | null>
    const [messages, pages, cursor] = await Promise.all([result(loose), result(late), result(around)])
    const straddling = cursor?.value as PageRecord | undefined
    if (straddling && straddling.to > position) pages.unshift(straddling)
    const opened = await Promise.all(pages.map((p) => this.openPage(p)))
    return [...opened.flat().filter((m) => m.s > position), ...(await this.openMessages(messages))]
  }

  protected async openMessages(records: readonly MessageRecord[]): Promise<Stored[]> {
    const opened = await Promise.all(
      records.map(async (r): Promise<Stored | undefined> => {
        try {
          const box = await this.db.sealer.open<MessageBox>(messagePlace(r.c, r.s), r.box)
          return { ...box, conversation: r.c, s: r.s, at: r.at }
        } catch {
          return this.leftOut(undefined)
        }
      }),
    )
    return opened.filter((m) => m !== undefined)
  }

  private async openPage(record: PageRecord): Promise<Stored[]> {
    try {
      const items = await this.db.sealer.open<PageItem[]>(pagePlace(record.c, record.s), record.box)
      return items.map((item) => ({ ...item, conversation: record.c }))
    } catch {
      return this.leftOut([])
    }
  }

  protected leftOut<T>(instead: T): T {
    this.damaged()
    return instead
  }
}
