// What the sync engine needs of the world. Tests pass a world of their own.
import type { Marks, Problem, Presence, ServerEvent, Synced } from '../wire'
import type { Clock } from '../clock'
import type { EndReason, Connection } from '../types'
import type { HistoryWriter } from '../store/writer'
import type { Queue } from '../store/queue'

/** An open or opening socket. After `close` none of its handlers is called. */
export interface Socket {
  send(text: string): void
  close(): void
}

export interface SocketHandlers {
  open(): void
  /** One frame: a JSON array of events. */
  frame(text: string): void
  closed(code: number): void
}

export type Dial = (handlers: SocketHandlers) => Socket

/** What the engine asks by HTTP. Each rejects with an ApiError. */
export interface Api {
  sync(after: string): Promise<Synced>
  marks(after: string): Promise<Marks>
  /** Whether the session still stands, for a socket that does not even open. */
  session(): Promise<unknown>
}

/** What the person does with this device, over all its tabs. */
export interface Activity {
  visible: boolean
  active: boolean
  timeZone: string
}

/** Whom the engine tells. Calls come after the commit they speak of and must not throw. */
export interface Listener {
  connection(state: Connection): void
  /** Conversations changed in the history. */
  changed(conversations: readonly string[]): void
  /** The send queue changed, by this engine. */
  queueChanged(): void
  /** Client ids that are on their way. */
  flight(ids: readonly string[]): void
  /** Undefined: withheld from now on. */
  presence(person: string, presence: Presence | undefined): void
  card(person: string): void
  /** The contact list has changed on another device, or here. */
  contacts(version: number): void
  typing(conversation: string, person: string, on: boolean): void
  /** A frame other than a message was refused. */
  problem(problem: Problem, frame: string): void
  /** The server has ended the session; the engine has stopped. */
  ended(reason: EndReason): void
  /** The socket belongs to somebody else: another person has signed in in this browser. */
  stranger(): void
  /** This version is too old for the server. */
  outdated(): void
  /** Something could not be stored; nothing of it was acknowledged and the engine tries again. */
  storeFailed(cause: unknown): void
  /** Another tab has taken the store; the engine has stopped. */
  deposed(): void
}

export interface Ports {
  me: string
  build: string
  clock: Clock
  dial: Dial
  api: Api
  history: HistoryWriter
  queue: Queue
  listener: Listener
}

export type EventOf<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>
