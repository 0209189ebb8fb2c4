// What the Contacts tab holds between visits, and the search as one types.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { connection, contacts, conversationWith, search, session, type ContactGroup, type PersonRow } from '../core'
import { matches, merged } from './match'
import { href } from './router'

/** Loaded is a list that is fetched: not there yet, there, or failed. */
export type Loaded<T> = { readonly at: 'loading' } | { readonly at: 'here'; readonly value: T } | { readonly at: 'failed'; readonly error: unknown }

const groups = signal<Loaded<readonly ContactGroup[]>>({ at: 'loading' })
/** contactGroups are the groups of the Contacts tab. */
export const contactGroups: ReadonlySignal<Loaded<readonly ContactGroup[]>> = groups

/** loadContacts fetches the groups. What is shown stays while newer groups are fetched, and when they cannot be had. */
export async function loadContacts(): Promise<void> {
  try {
    groups.value = { at: 'here', value: (await contacts()).groups }
  } catch (error) {
    if (groups.peek().at !== 'here') groups.value = { at: 'failed', error }
  }
}

/** followContacts fetches the groups at sign-in and each time the connection is back, and forgets them at sign-out. */
export function followContacts(): () => void {
  return effect(() => {
    const signedIn = session.value !== undefined
    const online = connection.value === 'online'
    if (!signedIn) untracked(forget)
    else if (online || groups.peek().at !== 'here') void loadContacts()
  })
}

/** known are the people that the groups hold, each once. A component that calls it follows the groups. */
export function known(): PersonRow[] {
  const shown = groups.value
  if (shown.at !== 'here') return []
  return [...new Map(shown.value.flatMap((group) => group.people).map((row) => [row.id, row])).values()]
}

/** Found is what a search shows at the moment. `done`: the server has answered, or cannot be asked. */
export interface Found { readonly query: string; readonly people: readonly PersonRow[]; readonly more: boolean; readonly done: boolean; readonly error?: unknown }

const delay = 120

/** PeopleSearch is one search field's state. */
export interface PeopleSearch {
  readonly query: ReadonlySignal<string>
  readonly found: ReadonlySignal<Found | undefined>
  type(query: string): void
}

/** peopleSearch shows what the device knows at once and the server's answer when it comes. A newer query cancels the older ones. */
export function peopleSearch(): PeopleSearch {
  const query = signal('')
  const found = signal<Found | undefined>(undefined)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked: AbortController | undefined

  async function ask(q: string, local: readonly PersonRow[]): Promise<void> {
    const controller = (asked = new AbortController())
    try {
      const answer = await search(q, controller.signal)
      if (asked === controller) found.value = { query: q, people: merged(answer.people, answer.more ? [] : local), more: answer.more, done: true }
    } catch (error) {
      if (asked === controller) found.value = { query: q, people: local, more: false, done: true, error }
    }
  }

  return {
    query,
    found,
    type(next) {
      query.value = next
      clearTimeout(timer)
      asked?.abort()
      asked = undefined
      const q = next.trim()
      if (q === '') {
        found.value = undefined
        return
      }
      const local = known().filter((row) => matches(row, q))
      found.value = { query: q, people: local, more: false, done: false }
      timer = setTimeout(() => void ask(q, local), delay)
    },
  }
}

/** contactSearch is the search of the Contacts tab. It stays as it was when one comes back to the tab. */
export const contactSearch = peopleSearch()

/** forget leaves nothing of one person on the screen of the next. */
function forget(): void {
  groups.value = { at: 'loading' }
  contactSearch.type('')
}

/** conversationHref leads to the conversation with a person; to the list while nobody is signed in, as for a moment during sign-out. */
export function conversationHref(person: string): string {
  try {
    return href('chats', conversationWith(person))
  } catch {
    return href('chats')
  }
}
