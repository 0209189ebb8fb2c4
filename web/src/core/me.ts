// The person's own state and note.
import { computed } from '@preact/signals'
import { setNote as putNote, setPresence, type SetNoteRequest, type SetPresenceRequest } from '../api.gen'
import { current } from './account'
import { presenceOf } from './live'
import type { OwnState } from './types'
import type { Presence } from './wire'

/** The own state, as the server gives it to the person themselves. */
export const myPresence = computed(() => {
  const account = current.value
  return account && presenceOf(account.me).value
})

/** Chooses a state until a time or until it is changed; `reset` goes back to automatic. */
export async function setState(state: OwnState, until?: Date): Promise<void> {
  const body: SetPresenceRequest = { state, until: until?.toISOString() }
  show(await setPresence(body))
}

/** Sets the note, at most 500 characters; an empty one removes it. */
export async function setNote(note: string, until?: Date): Promise<void> {
  const body: SetNoteRequest = { note, until: until?.toISOString() }
  show(await putNote(body))
}

function show(presence: Presence): void {
  const account = current.peek()
  if (account) presenceOf(account.me).value = presence
}
