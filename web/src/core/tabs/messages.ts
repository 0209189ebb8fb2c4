// What the tabs of one person say to each other.
import type { Connection, EndReason } from '../types'
import type { Presence } from '../wire'

/** What any tab asks of the owner. */
export type Command =
  | { do: 'read'; conversation: string; position: number }
  | { do: 'typing'; conversation: string; on: boolean }
  | { do: 'remove'; conversations: readonly string[] }
  /** The send queue in the store has changed. */
  | { do: 'queue' }
  /** A tab has changed the device's contacts in the store. */
  | { do: 'sources'; by: string }
  | { do: 'dial' }

/** What the owner tells every tab, itself included. Hints: what is true stands in the store. */
export type News =
  | { news: 'connection'; state: Connection }
  | { news: 'changed'; conversations: readonly string[] }
  | { news: 'queue' }
  | { news: 'sources'; by: string }
  | { news: 'flight'; ids: readonly string[] }
  | { news: 'presence'; person: string; presence: Presence | undefined }
  | { news: 'card'; person: string }
  | { news: 'contacts'; version: number }
  | { news: 'typing'; conversation: string; person: string; on: boolean }
  | { news: 'problem'; key: string; frame: string }
  | { news: 'ended'; reason: EndReason }
  /** Another person has signed in in this browser. */
  | { news: 'stranger' }
  | { news: 'outdated' }
  | { news: 'trouble'; trouble: 'quota' | 'failed' }

/** What one tab shows and whether somebody is there. */
export interface TabStatus {
  watch: readonly string[]
  visible: boolean
  /** Touched since the last status. */
  active: boolean
  timeZone: string
}

export type TabMessage =
  | { t: 'news'; news: News }
  | { t: 'status'; tab: string; status: TabStatus }
  | { t: 'bye'; tab: string }
  | { t: 'command'; id: string; command: Command }
  | { t: 'done'; id: string; failed?: boolean }
  /** A tab has become the owner. */
  | { t: 'owner' }
  /** A tab asks for a sign of life and for what it has missed. */
  | { t: 'who' }
  | { t: 'here' }

export interface Channel {
  post(message: TabMessage): void
  listen(heard: (message: TabMessage) => void): void
  close(): void
}

/** The part of Web Locks that is used. */
export interface Locks {
  /**
   * Runs `held` while the lock is held; it ends when `held` does. Rejects when
   * the signal says so before, or when the lock was stolen during it.
   */
  request(name: string, options: { signal?: AbortSignal; steal?: boolean }, held: () => Promise<void>): Promise<void>
}
