// The schema of one person's database and what stands in its records. In clear
// are only conversation, position, time and the server's opaque cursors; `box`
// is sealed. Migrations are appended, never changed.
import type { Bytes } from '../bytes'
import type { Migration } from './idb'

/** The database of a person. */
export const databaseName = (person: string): string => `parley-${person}`

/** Whether a database belongs to a person, and to whom. */
export const databasePerson = (name: string): string | undefined => /^parley-(p\d+)$/.exec(name)?.[1]

export const migrations: readonly Migration[] = [
  (db) => {
    db.createObjectStore('meta')
    db.createObjectStore('messages', { keyPath: ['c', 's'] })
    db.createObjectStore('pages', { keyPath: ['c', 's'] })
    db.createObjectStore('ids', { keyPath: 'h' }).createIndex('entry', 'e')
    db.createObjectStore('chats', { keyPath: 'c' })
    db.createObjectStore('queue', { keyPath: 'n', autoIncrement: true })
    db.createObjectStore('drafts', { keyPath: 'c' })
    db.createObjectStore('shelf', { keyPath: 'h' })
  },
  (db) => {
    db.createObjectStore('sources', { keyPath: 'k' })
  },
]

/** A message in the history. Positions `s` count over all conversations, in the order of arrival. */
export interface MessageRecord {
  c: string
  s: number
  at: string
  box: Bytes
}

/** What the box of a message holds. */
export interface MessageBox {
  from: string
  id: string
  /** The entry's id in the server's log at the time it came; none for a message that was filed without it. */
  entry?: string
  /** The entry's kind, if it is not a message. */
  kind?: string
  content: string
  /** Of text.v1. */
  text?: string
  /** Base64, of every other content type, for a version that knows it. */
  body?: string
}

/** Older messages, about 64 of one conversation: positions `s` to `to`. The box holds PageItem[]. */
export interface PageRecord {
  c: string
  s: number
  to: number
  box: Bytes
}

export interface PageItem extends MessageBox {
  s: number
  at: string
}

/** Recognises a message by the hash of its sender and client id, and a mark by the entry it names. */
export interface IdRecord {
  h: string
  s: number
  e?: string
}

/** One conversation in the list. */
export interface ChatRecord {
  c: string
  at: string
  box: Bytes
}

export interface ChatBox {
  last?: { s: number; text: string; mine: boolean; unknown: boolean }
  /** The newest entry with an id: what a read mark names. */
  entry?: { s: number; id: string }
  /** Positions of the messages of others after the read mark. */
  unread: number[]
  /** The own read mark. */
  read: number
  /** The server has not confirmed the read mark yet. */
  unsent: boolean
  /** Per person, up to where a device of theirs has it. */
  delivered: Record<string, number>
}

/** A message that the server has not accepted. */
export interface QueueRecord {
  n?: number
  c: string
  at: string
  box: Bytes
}

export interface QueueBox {
  id: string
  content: string
  text: string
  failed?: string
}

export interface DraftRecord {
  c: string
  box: Bytes
}

/** Anything else that is kept for showing without the network, under a hashed name. */
export interface ShelfRecord {
  h: string
  box: Bytes
}

/**
 * Contacts that the person has brought along: `k` is `list` (the box holds SourceItem[]), `decisions` (DecisionBox), or
 * a source's random id, a slash, and the number of a page (CardItem[]).
 */
export interface SourceRecord {
  k: string
  box: Bytes
}

/** One source of contacts: files, the device's picker, an address book. */
export interface SourceItem {
  id: string
  kind: 'device' | 'address-book'
  name: string
  on: boolean
  pages: number
  count: number
  skipped: number
  /** Cards of the file that were more than are taken. */
  left?: number
  at: string
  /** Of an address book: which of the configured servers it is on, and how to read it again. */
  book?: string
  user?: string
  password?: string
  etag?: string
}

/** A card of a source. */
export interface CardItem {
  id: string
  name: string
  nick?: string
  mails?: readonly string[]
  addresses?: readonly string[]
  phones?: readonly CardPhoneItem[]
  title?: string
  company?: string
  department?: string
  office?: string
  /** A JPEG of at most 96 pixels, base64. */
  photo?: string
}

export interface CardPhoneItem {
  kind: 'work' | 'mobile' | 'home' | 'other'
  number: string
}

/** Which records the person has said are not, or are, the same. */
export interface DecisionBox {
  apart: readonly (readonly [string, string])[]
  together: readonly (readonly [string, string])[]
}

/** Where this device is in the server's log. */
export interface Place {
  /** The last applied entry, opaque; empty: from the start. */
  cursor: string
  epoch: string
  /** The cursor up to which marks are known. */
  marks: string
  /** The next free position. */
  next: number
}

/** What stands in `meta`, by its key. `notices` and `check` are sealed. */
export interface Meta {
  place: Place
  /** Which owner may write: counts up with every new one. */
  owner: number
  device: string
  notices: Bytes
  check: Bytes
}

/** A notice in the history of every conversation, at a position. */
export interface NoticeItem {
  kind: 'head' | 'missed'
  at: string
  s: number
}
