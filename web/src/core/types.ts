// The shapes that the core shows to the screens. They hold no behaviour.
import type { ReadonlySignal } from '@preact/signals'
import type { SetPresenceRequest, SignedOutEvent } from '../api.gen'
import type { WireSession } from './wire'

/**
 * Where the app stands:
 * - `starting`: nothing is known yet; show the empty shell.
 * - `insecure`: plain HTTP from another machine. The browser gives no encryption,
 *   so nothing can be kept; say so and how to mend it.
 * - `no-storage`: the browser refuses IndexedDB (some private windows).
 * - `signed-out`: show the sign-in screen; `ended` says why, if the server ended it.
 * - `ready`: a person is signed in; history is readable, with or without network.
 * - `other-tab-upgrade`: a newer version of the app runs in another tab and has
 *   taken the store; ask for a reload.
 */
export type Phase = 'starting' | 'insecure' | 'no-storage' | 'signed-out' | 'ready' | 'other-tab-upgrade'

/** `connecting` is the first attempts after a loss; `offline` is waiting for the next. */
export type Connection = 'online' | 'connecting' | 'offline'

/** Why the server ended the session. */
export type EndReason = SignedOutEvent['reason']

/** Who is signed in on this device. Neither token nor history key is in it. */
export type Session = Omit<WireSession, 'history_key' | 'token' | 'cursor'>

export type DeviceClass = WireSession['device_class']

/** What the sign-in screen asks for. */
export interface SignInForm {
  address: string
  password: string
}

/** One row of the Chats tab. */
export interface ChatSummary {
  conversation: string
  /** The other person; empty for a group. */
  person: string
  /** The last message's text; empty when `unknown` or when there is only a draft. */
  text: string
  /** The last message is of a type that this version cannot show. */
  unknown: boolean
  mine: boolean
  /** RFC 3339, for display; the rows are in order already. */
  at: string
  /** State of the last message if it is one's own. */
  state: MessageState
  unread: number
  draft: boolean
}

/**
 * `queued`: kept on this device, waits for the connection or its turn.
 * `sending`: on its way. `sent`: durable on the server. `delivered`: on a device
 * of the other person. `failed`: the server will never take it; `reason` says why.
 */
export type MessageState = 'queued' | 'sending' | 'sent' | 'delivered' | 'failed'

/** One bubble. Objects are replaced, not changed, so they can be compared by identity. */
export interface Message {
  /** Stable from the tap on Send to the end of the history. */
  key: string
  mine: boolean
  from: string
  /** Absent: "update to see this". */
  text?: string
  at: string
  state: MessageState
  /** Text key of the refusal, with `failed`. */
  reason?: string
}

/**
 * Something that stands between the bubbles.
 * - `head`: this device was signed in here; earlier messages are on the person's other devices.
 * - `missed`: messages waited longer than the server keeps them.
 */
export interface Notice {
  kind: 'head' | 'missed'
  at: string
  /** Key of the message it stands above; absent: after the last one. */
  above?: string
}

/** A conversation on screen. Call `close` when it leaves the screen. */
export interface Chat {
  readonly conversation: string
  /** The other person; empty for a group. */
  readonly person: string
  /** Oldest first; starts with the newest page, `loadOlder` puts more in front. */
  readonly messages: ReadonlySignal<readonly Message[]>
  readonly notices: ReadonlySignal<readonly Notice[]>
  /** There is more to load; undefined until the first page is there. */
  readonly older: ReadonlySignal<boolean | undefined>
  /** People who are typing at the moment. */
  readonly typing: ReadonlySignal<readonly string[]>
  /** The unsent text, kept on the device. Read it when the chat opens, set it with `setDraft`. */
  readonly draft: ReadonlySignal<string>
  /** Resolves when the first page and the draft are there. */
  readonly loaded: Promise<void>
  loadOlder(): Promise<void>
  /**
   * Stores the message in the send queue and clears the draft. Resolves when it
   * is stored: from then on it survives a reload. Rejects with an ApiError, and
   * keeps nothing, when the text is empty or over 16,000 bytes, or the device
   * cannot store.
   */
  send(text: string): Promise<void>
  /** Sends a failed message again. */
  retry(key: string): Promise<void>
  /** Removes a failed message. */
  discard(key: string): Promise<void>
  /** The person sees the newest message that `messages` holds. Cheap; call it freely. */
  markRead(): void
  /** Call it at every input; it ends by itself 6 s after the last call. */
  setTyping(on: boolean): void
  setDraft(text: string): void
  close(): void
}

/** What is wrong with the storage on this device. */
export type StorageTrouble =
  | 'quota' // the device is full; nothing new can be kept
  | 'unreadable' // the history did not fit its key and was removed
  | 'damaged' // single records could not be read and are left out
  | 'blocked' // another tab holds the store open
  | 'failed' // any other failure of the browser's database

export interface StorageState {
  /** The browser promised not to clear the store by itself; undefined: not asked yet. */
  persisted: boolean | undefined
  trouble?: StorageTrouble
}

/** What the person may set by hand. `reset` goes back to automatic. */
export type OwnState = SetPresenceRequest['state']
