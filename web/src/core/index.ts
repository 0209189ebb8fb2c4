// Everything that the screens may use of the core. Nothing else in this
// directory is imported from outside it, api.gen.ts's import of `call` apart.
import type { ReadonlySignal } from '@preact/signals'
import { current } from './account'
import { chatList, followChats, unreadCount } from './chats'
import { followAdded } from './added'
import { followContacts } from './contacts'
import { connectionState } from './live'
import { followPeople } from './people'
import { followSettings } from './settings'
import { followSources } from './sources/state'
import { aboutState, boot as bootSession, endedState, phaseState, sessionState } from './session'
import { storageState } from './storage'
import { updateWaits } from './update'
import type { ChatSummary, Connection, EndReason, Phase, Session, StorageState } from './types'
import type { About } from './wire'

export type * from './types'
export type { About, Card, ContactGroup, ContactsImported, DirectoryGroup, DirectoryGroupRow, DirectoryState, FoundRow, PersonRow, Phone, Presence, Settings } from './wire'
export { ApiError, type RefusalKind } from './call'
export { signIn, signOut } from './session'
export { dismissTrouble } from './storage'
export { applyUpdate } from './update'
export { conversationWith, deleteChats, openChat } from './chats'
export { bound, card, cardChanges, directoryGroup, keep, kept, knownPeople, person, photoUrl, presence, search, watch, type Found } from './people'
export {
  addContacts, addGroup, contactList, contactsFar, deleteGroup, exportUrl, foldedGroups, foldGroup, holds, importList, kindOf, loadContacts, moveContacts, placeGroup, removeContacts, renameGroup,
  setFavourite, setGroups, setRelationship, standing, standingOf, type Far, type GroupKind, type Level, type Loaded, type Move, type Standing,
} from './contacts'
export { addedKnown, addedMe, dismissAdded, type Added } from './added'
export { loadSettings, setPhones, setPictures, settings } from './settings'
export { mostRecipients, recipients, sendToAll, type Progress, type Recipients } from './everybody'
export { myPresence, setNote, setState } from './me'
export { deviceBook, isDeviceId, sourcesEngine, sourcesRead } from './sources/state'
export type { DeviceBook, DeviceHit, Held } from './sources/book'
export type { Merged, MergedPhone, RecordKey, Single, SourceRecord, Value } from './sources/merge'
export type { Parsed } from './sources/vcard'
export type { CardItem, SourceItem } from './store/schema'
export { iOS, standalone } from './device'

export const phase: ReadonlySignal<Phase> = phaseState
/** Undefined until the server (or the copy on the device) has said it. */
export const about: ReadonlySignal<About | undefined> = aboutState
export const session: ReadonlySignal<Session | undefined> = sessionState
/** Why the server ended the last session; undefined when the person signed out themselves. */
export const ended: ReadonlySignal<EndReason | undefined> = endedState
export const connection: ReadonlySignal<Connection> = connectionState
export const storage: ReadonlySignal<StorageState> = storageState
/** A newer version of the app is installed and waits; `applyUpdate` reloads into it. */
export const updateReady: ReadonlySignal<boolean> = updateWaits
export const chats: ReadonlySignal<readonly ChatSummary[]> = chatList
/** Unread messages in all conversations. */
export const unread: ReadonlySignal<number> = unreadCount

let booted: Promise<void> | undefined

/** Starts the core. It never rejects; a second call does nothing. */
export function boot(): Promise<void> {
  booted ??= start()
  return booted
}

async function start(): Promise<void> {
  followChats()
  followPeople()
  followContacts()
  followAdded()
  followSettings()
  followSources()
  await bootSession()
}

/** Dials at once instead of waiting for the back-off. */
export function retryNow(): void {
  current.peek()?.hub.command({ do: 'dial' }).catch(() => undefined)
}
