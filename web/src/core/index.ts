// Everything that the screens may use of the core. Nothing else in this
// directory is imported from outside it, api.gen.ts's import of `call` apart.
import type { ReadonlySignal } from '@preact/signals'
import type { About, Card, ContactGroup, PersonRow, Presence } from './wire'
import type { Chat, ChatSummary, Connection, EndReason, OwnState, Phase, Session, SignInForm, StorageState } from './types'

export type * from './types'
export type { About, Card, ContactGroup, PersonRow, Phone, Presence } from './wire'
export { ApiError } from './call'
export type { RefusalKind } from './call'

/** Starts the core. Call it once, before the first render; it never rejects. */
export declare function boot(): Promise<void>
export declare const phase: ReadonlySignal<Phase>
/** Undefined until the server (or the copy on the device) has said it. */
export declare const about: ReadonlySignal<About | undefined>
export declare const session: ReadonlySignal<Session | undefined>
/** Why the server ended the last session; undefined when the person signed out themselves. */
export declare const ended: ReadonlySignal<EndReason | undefined>
export declare const connection: ReadonlySignal<Connection>
/** Dials at once instead of waiting for the back-off. */
export declare function retryNow(): void
/** Rejects with an ApiError (its `key` and `field` are for the form). */
export declare function signIn(form: SignInForm): Promise<void>
/** Removes the key from this device at once; the server is told as soon as it can be reached. */
export declare function signOut(): Promise<void>
export declare const storage: ReadonlySignal<StorageState>
/** The person has read the notice about `storage.trouble`. */
export declare function dismissTrouble(): void

/** A newer version of the app is installed and waits; `applyUpdate` reloads into it. */
export declare const updateReady: ReadonlySignal<boolean>
export declare function applyUpdate(): Promise<void>

export declare const chats: ReadonlySignal<readonly ChatSummary[]>
/** Unread messages in all conversations. */
export declare const unread: ReadonlySignal<number>
export declare function openChat(conversation: string): Chat
/** The conversation of the signed-in person with another. */
export declare function conversationWith(person: string): string
/** Removes conversations from this device only. */
export declare function deleteChats(conversations: readonly string[]): Promise<void>

/** The row of a person, from the device first, then from the server; undefined until known. */
export declare function person(id: string): ReadonlySignal<PersonRow | undefined>
/** The state of a watched person; undefined while unknown, and while offline. */
export declare function presence(id: string): ReadonlySignal<Presence | undefined>
/** Says whose presence `owner` (a screen's name) shows; replaces its former list. An empty list ends it. */
export declare function watch(owner: string, people: readonly string[]): void
export declare function search(q: string, signal?: AbortSignal): Promise<{ people: PersonRow[]; more: boolean }>
/** The whole card from the server; rejects with an ApiError when it cannot be had. */
export declare function card(id: string, signal?: AbortSignal): Promise<Card>
/** The groups of the Contacts tab; `stale` when the server could not be asked and the device's copy is shown. */
export declare function contacts(): Promise<{ groups: ContactGroup[]; stale: boolean }>
/** Address of a picture for an <img>; undefined without a picture. */
export declare function photoUrl(row: PersonRow, size: 'small' | 'large'): string | undefined

export declare const myPresence: ReadonlySignal<Presence | undefined>
export declare function setState(state: OwnState, until?: Date): Promise<void>
/** An empty note removes it. At most 500 characters. */
export declare function setNote(note: string, until?: Date): Promise<void>

/** Runs as an installed app (Home Screen), not in a browser tab. */
export declare const standalone: boolean
export declare const iOS: boolean
