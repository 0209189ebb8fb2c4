// Writing the history: the owner only, one operation at a time, each in one
// transaction.
import { History, pageSize, start, within, pagePlace, messagePlace, chatPlace, type Chat } from './history'
import { read, result } from './idb'
import type { ChatRecord, IdRecord, MessageBox, MessageRecord, NoticeItem, PageItem, PageRecord, Place } from './schema'

/** A message on its way into the history. */
export interface Arrival extends MessageBox {
  conversation: string
  at: string
  /** The place in the send queue that it leaves, if it stood there. */
  queued?: number | undefined
}

/** What one transaction brings into the history. */
export interface Batch {
  arrivals: readonly Arrival[]
  /** Where the device is in the log afterwards; absent: where it was. */
  cursor?: string
  epoch?: string
  notice?: 'head' | 'missed'
}

/** A mark of the server: everything up to the entry `id`. */
export interface Mark {
  conversation: string
  id: string
  /** Whose devices have it; absent: the own read mark. */
  person?: string
}

/** A conversation's loose messages are packed when there are more than this. */
const looseLimit = 2 * pageSize
const previewLength = 200

const emptyChat = (): Omit<Chat, 'conversation' | 'at'> => ({ unread: [], read: 0, unsent: false, delivered: {} })

/** Writes the history. Only the owner (Database.claim) may; everybody else's writes reject with Deposed. */
export class HistoryWriter extends History {
  private current: Place = start
  private boxes = new Map<string, Chat>()
  private loose = new Map<string, number>()
  private last: Promise<unknown> = Promise.resolve()

  /** Reads what the operations below keep in memory. Call it after Database.claim and before anything else. */
  async load(): Promise<void> {
    this.current = await this.place()
    this.boxes = new Map((await this.chats()).map((c) => [c.conversation, c]))
  }

  /**
   * Begins where a newly signed-in device begins to read. For the device that
   * was here last it does nothing: its own cursor is the better one.
   */
  begin(device: string, cursor: string, epoch: string, head: boolean): Promise<void> {
    return this.turn(async () => {
      if ((await this.db.meta('device')) === device) return
      const place: Place = { ...this.current, cursor, epoch, marks: '' }
      const notices = head ? await this.withNotice('head', place.next) : undefined
      await this.db.ownerWrite(['meta'], (tx) => {
        tx.objectStore('meta').put(device, 'device')
        tx.objectStore('meta').put(place, 'place')
        if (notices) tx.objectStore('meta').put(notices, 'notices')
      })
      this.current = place
    })
  }

  /** Where the device is in the log. */
  get now(): Readonly<Place> {
    return this.current
  }

  /** The conversations as they are stored. */
  get list(): ReadonlyMap<string, Readonly<Chat>> {
    return this.boxes
  }

  /** Runs operations one after the other: what one read must still hold when it writes. */
  private turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.last.then(work)
    this.last = mine.catch(() => undefined)
    return mine
  }

  /**
   * Brings a batch into the history: messages, cursor and removal from the send
   * queue in one transaction. Rejects when nothing of it was stored. Resolves
   * with the conversations that changed.
   */
  apply(batch: Batch): Promise<string[]> {
    return this.turn(() => this.applyNow(batch))
  }

  private async applyNow(batch: Batch): Promise<string[]> {
    const place = { ...this.current }
    if (batch.arrivals.length === 0 && !batch.notice && batch.cursor === place.cursor && batch.epoch === place.epoch) return []
    if (batch.cursor !== undefined) place.cursor = batch.cursor
    if (batch.epoch !== undefined) place.epoch = batch.epoch
    const ids: IdRecord[] = []
    const messages: MessageRecord[] = []
    const chats = new Map<string, Chat>()
    const known = await this.known(batch.arrivals)
    for (const [i, arrival] of batch.arrivals.entries()) {
      const id = known.hashes[i] ?? ''
      const copy = known.records.get(id)
      const s = copy?.s ?? place.next++
      const record: IdRecord = { h: id, s }
      const entry = arrival.entry ?? copy?.e
      if (entry !== undefined) record.e = entry
      if (!copy || copy.e !== record.e) ids.push(record)
      known.records.set(id, record)
      if (copy) {
        this.renamed(chats, arrival.conversation, record)
        continue
      }
      messages.push(await this.sealMessage(arrival, s))
      const chat = chats.get(arrival.conversation) ?? this.copyOf(arrival.conversation)
      chats.set(arrival.conversation, count(chat, arrival, s, this.me))
    }
    const chatRecords = await Promise.all([...chats.values()].map((c) => this.sealChat(c)))
    const notices = batch.notice ? await this.withNotice(batch.notice, place.next) : undefined
    const queued = batch.arrivals.map((a) => a.queued).filter((n) => n !== undefined)

    await this.db.ownerWrite(['meta', 'messages', 'ids', 'chats', 'queue'], (tx) => {
      for (const r of messages) tx.objectStore('messages').put(r)
      for (const r of ids) tx.objectStore('ids').put(r)
      for (const r of chatRecords) tx.objectStore('chats').put(r)
      for (const n of queued) tx.objectStore('queue').delete(n)
      if (notices) tx.objectStore('meta').put(notices, 'notices')
      tx.objectStore('meta').put(place, 'place')
    })

    this.current = place
    for (const [c, chat] of chats) this.boxes.set(c, chat)
    for (const m of messages) this.loose.set(m.c, (this.loose.get(m.c) ?? -Infinity) + 1)
    return [...chats.keys()]
  }

  // An entry that is here already has another id in the log's new epoch.
  private renamed(chats: Map<string, Chat>, conversation: string, { s, e }: IdRecord): void {
    const chat = chats.get(conversation) ?? this.boxes.get(conversation)
    if (e === undefined || chat?.entry?.s !== s || chat.entry.id === e) return
    chats.set(conversation, { ...chat, entry: { s, id: e } })
  }

  // The hashed id of each arrival, and what is known of it.
  private async known(arrivals: readonly Arrival[]): Promise<{ hashes: string[]; records: Map<string, IdRecord> }> {
    const hashes = await Promise.all(arrivals.map((a) => this.db.sealer.hash(a.from, a.id)))
    const store = read(this.db.idb, 'ids').objectStore('ids')
    const found = await Promise.all(hashes.map((h) => result(store.get(h) as IDBRequest<IdRecord | undefined>)))
    return { hashes, records: new Map(found.filter((r) => r !== undefined).map((r) => [r.h, r])) }
  }

  /** Whether the history has, or had, this message. */
  async has(from: string, id: string): Promise<boolean> {
    const h = await this.db.sealer.hash(from, id)
    return (await result(read(this.db.idb, 'ids').objectStore('ids').getKey(h))) !== undefined
  }

  private copyOf(conversation: string): Chat {
    const chat = this.boxes.get(conversation)
    return chat ? structuredClone(chat) : { ...emptyChat(), conversation, at: '' }
  }

  private async sealMessage(a: Arrival, s: number): Promise<MessageRecord> {
    const box: MessageBox = { from: a.from, id: a.id, content: a.content }
    if (a.entry !== undefined) box.entry = a.entry
    if (a.text !== undefined) box.text = a.text
    if (a.body !== undefined) box.body = a.body
    if (a.kind !== undefined) box.kind = a.kind
    return { c: a.conversation, s, at: a.at, box: await this.db.sealer.seal(messagePlace(a.conversation, s), box) }
  }

  private async sealChat({ conversation, at, ...box }: Chat): Promise<ChatRecord> {
    return { c: conversation, at, box: await this.db.sealer.seal(chatPlace(conversation), box) }
  }

  private async withNotice(kind: NoticeItem['kind'], s: number): Promise<BufferSource> {
    const list = (await this.notices()).filter((n) => n.s !== s || n.kind !== kind)
    list.push({ kind, at: new Date().toISOString(), s })
    return this.db.sealer.seal('meta/notices', list)
  }

  /**
   * Files what marks say. Resolves with the conversations that changed and with
   * the marks whose entry is not known here (yet).
   */
  mark(marks: readonly Mark[]): Promise<{ changed: string[]; unknown: Mark[] }> {
    return this.turn(() => this.markNow(marks))
  }

  private async markNow(marks: readonly Mark[]): Promise<{ changed: string[]; unknown: Mark[] }> {
    const index = read(this.db.idb, 'ids').objectStore('ids').index('entry')
    const ids = await Promise.all(marks.map((m) => result(index.get(m.id) as IDBRequest<IdRecord | undefined>)))
    const unknown: Mark[] = []
    const chats = new Map<string, Chat>()
    for (const [i, mark] of marks.entries()) {
      const s = ids[i]?.s
      if (s === undefined) unknown.push(mark)
      const chat = chats.get(mark.conversation) ?? this.boxes.get(mark.conversation)
      if (s === undefined || !chat) continue
      const moved = mark.person === undefined ? readTo(chat, s, false) : deliveredTo(chat, mark.person, s)
      if (moved) chats.set(mark.conversation, moved)
    }
    await this.putChats([...chats.values()])
    return { changed: [...chats.keys()], unknown }
  }

  private async putChats(chats: readonly Chat[]): Promise<void> {
    if (chats.length === 0) return
    const records = await Promise.all(chats.map((c) => this.sealChat(c)))
    await this.db.ownerWrite(['chats'], (tx) => {
      for (const r of records) tx.objectStore('chats').put(r)
    })
    for (const c of chats) this.boxes.set(c.conversation, c)
  }

  /** The person has read up to a position. Resolves with whether that is news. */
  readUpTo(conversation: string, position: number): Promise<boolean> {
    return this.turn(async () => {
      const chat = this.boxes.get(conversation)
      const moved = chat && readTo(chat, position, true)
      if (moved) await this.putChats([moved])
      return moved !== undefined
    })
  }

  /** The server knows the read marks up to these positions. */
  readKnown(marks: ReadonlyMap<string, number>): Promise<void> {
    return this.turn(async () => {
      const settled = [...marks].map(([c, s]) => {
        const chat = this.boxes.get(c)
        return chat?.unsent && chat.read <= s ? { ...chat, unsent: false } : undefined
      })
      await this.putChats(settled.filter((c) => c !== undefined))
    })
  }

  /** The id of the entry at the own read mark; undefined when it cannot be named any more. */
  async readEntry(conversation: string): Promise<string | undefined> {
    const chat = this.boxes.get(conversation)
    if (!chat) return undefined
    if (chat.entry && chat.entry.s <= chat.read) return chat.entry.id
    const store = read(this.db.idb, 'messages').objectStore('messages')
    const record = await result(store.get([conversation, chat.read]) as IDBRequest<MessageRecord | undefined>)
    return record && (await this.openMessages([record]))[0]?.entry
  }

  /** Marks are known up to a cursor. */
  marksKnown(cursor: string): Promise<void> {
    return this.turn(async () => {
      const place = { ...this.current, marks: cursor }
      await this.db.ownerWrite(['meta'], (tx) => tx.objectStore('meta').put(place, 'place'))
      this.current = place
    })
  }

  /**
   * Removes conversations from this device, drafts and messages that wait
   * included. Their hashed ids stay, so that a resync does not bring them back.
   */
  remove(conversations: readonly string[], queued: readonly number[]): Promise<void> {
    return this.turn(async () => {
      await this.db.ownerWrite(['messages', 'pages', 'chats', 'drafts', 'queue'], (tx) => {
        for (const c of conversations) {
          tx.objectStore('messages').delete(within(c, 0, Infinity))
          tx.objectStore('pages').delete(within(c, 0, Infinity))
          tx.objectStore('chats').delete(c)
          tx.objectStore('drafts').delete(c)
        }
        for (const n of queued) tx.objectStore('queue').delete(n)
      })
      for (const c of conversations) {
        this.boxes.delete(c)
        this.loose.delete(c)
      }
    })
  }

  /** Packs what has become old in a conversation. Resolves with whether there was something. */
  pack(conversation: string): Promise<boolean> {
    return this.turn(() => this.packNow(conversation))
  }

  private async packNow(conversation: string): Promise<boolean> {
    const all = within(conversation, 0, Infinity)
    let loose = this.loose.get(conversation) ?? -Infinity
    if (loose < 0) {
      loose = await result(read(this.db.idb, 'messages').objectStore('messages').count(all))
      this.loose.set(conversation, loose)
    }
    if (loose <= looseLimit) return false
    const store = read(this.db.idb, 'messages').objectStore('messages')
    const records = await result(store.getAll(all, pageSize) as IDBRequest<MessageRecord[]>)
    const first = records[0]
    const final = records.at(-1)
    if (!first || !final) return false
    const items: PageItem[] = (await this.openMessages(records)).map(({ conversation: _, ...item }) => item)
    const box = await this.db.sealer.seal(pagePlace(conversation, first.s), items)
    const page: PageRecord = { c: conversation, s: first.s, to: final.s, box }
    await this.db.ownerWrite(['messages', 'pages'], (tx) => {
      tx.objectStore('pages').put(page)
      tx.objectStore('messages').delete(IDBKeyRange.bound([conversation, first.s], [conversation, final.s]))
    })
    this.loose.set(conversation, loose - records.length)
    return true
  }
}

// Counts a new message into its conversation. One's own message is also a read
// mark: whoever answers has seen what is above.
function count(chat: Chat, a: Arrival, s: number, me: string): Chat {
  const mine = a.from === me
  chat.at = a.at
  chat.last = { s, text: (a.text ?? '').slice(0, previewLength), mine, unknown: a.text === undefined }
  if (a.entry !== undefined) chat.entry = { s, id: a.entry }
  if (!mine) chat.unread.push(s)
  else {
    chat.unread = []
    chat.read = s
  }
  return chat
}

function readTo(chat: Chat, s: number, here: boolean): Chat | undefined {
  if (s <= chat.read) return undefined
  return { ...chat, read: s, unread: chat.unread.filter((u) => u > s), unsent: here || chat.unsent }
}

function deliveredTo(chat: Chat, person: string, s: number): Chat | undefined {
  if (s <= (chat.delivered[person] ?? 0)) return undefined
  return { ...chat, delivered: { ...chat.delivered, [person]: s } }
}
