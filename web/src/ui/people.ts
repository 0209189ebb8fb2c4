// The search as one types, and where rows of people lead.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { chats, contactList, conversationWith, holds, kindOf, knownPeople, search, session, type DirectoryGroupRow, type FoundRow, type PersonRow } from '../core'
import { deviceHits } from './device'
import { matches, merged, onPad, ranked, withPartners } from './match'
import { href } from './router'

/** groupsNow are the groups of the Contacts tab, as far as they are known. A component that calls it follows them. */
export const groupsNow = () => (contactList.value.at === 'here' ? contactList.value.value : [])

/** known are the people that the groups hold, each once. A component that calls it follows the groups. */
export function known(): PersonRow[] {
  return [...new Map(groupsNow().flatMap((group) => group.people).map((row) => [row.id, row])).values()]
}

/** Found is what a search shows at the moment. `done`: the server has answered, or cannot be asked. */
export interface Found {
  readonly query: string
  readonly people: readonly FoundRow[]
  readonly groups: readonly DirectoryGroupRow[]
  readonly more: boolean
  readonly done: boolean
  readonly error?: unknown
}

const delay = 120

/** PeopleSearch is one search field's state. */
export interface PeopleSearch {
  readonly query: ReadonlySignal<string>
  readonly found: ReadonlySignal<Found | undefined>
  type(query: string): void
}

/** partners are the people with whom there is a conversation. */
const partners = () => new Set(chats.peek().map((chat) => chat.person))

/** inOrder puts own contacts first, and among equals those with whom there is a conversation. */
function inOrder(people: readonly FoundRow[]): FoundRow[] {
  const own = groupsNow().filter((group) => kindOf(group) !== 'suggested')
  const recent = partners()
  return ranked(people, (id) => own.some((group) => holds(group, id)), (id) => recent.has(id))
}

/**
 * peopleSearch shows what the device knows at once and the server's answer when it comes. A newer query cancels the older ones. With `pad`,
 * what is typed are the digits of a dial pad; with `device`, the device's own contacts are found, too.
 */
export function peopleSearch(pad = false, device = false): PeopleSearch {
  const query = signal('')
  const found = signal<Found | undefined>(undefined)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked: AbortController | undefined

  async function ask(q: string, local: readonly FoundRow[]): Promise<void> {
    const controller = (asked = new AbortController())
    try {
      const { people, groups, more } = await search(q, { pad, signal: controller.signal })
      // Of its people the server has the last word: whom it does not find now is gone or withheld, unless there are more than it gave. Among the rows that have just come may be
      // people whom the device has, too.
      const known = device ? deviceHits(q, pad) : []
      const recent = partners()
      const all = more ? withPartners(people, knownPeople(), q, pad, (id) => recent.has(id)) : people
      if (asked === controller) found.value = { query: q, people: inOrder(merged(all, known)), groups, more, done: true }
    } catch (error) {
      if (asked === controller) found.value = { query: q, people: inOrder(local), groups: [], more: false, done: true, error }
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
      const rows = knownPeople().filter((row) => (pad ? onPad(row, q) : matches(row, q)))
      const local = device ? merged(rows, deviceHits(q, pad)) : rows
      found.value = { query: q, people: inOrder(local), groups: [], more: false, done: false }
      timer = setTimeout(() => void ask(q, local), delay)
    },
  }
}

/** contactSearch is the search of the Contacts tab. It stays as it was when one comes back to the tab. */
export const contactSearch = peopleSearch(false, true)

/** followSession leaves nothing of one person in the search of the next. */
export function followSession(): () => void {
  return effect(() => {
    if (session.value === undefined) untracked(() => contactSearch.type(''))
  })
}

/** conversationHref leads to the conversation with a person; to the list while nobody is signed in, as for a moment during sign-out. */
export function conversationHref(person: string): string {
  try {
    return href('chats', conversationWith(person))
  } catch {
    return href('chats')
  }
}

/** atDesk tells whether this device may set up what the desktop layout sets up: a matter of how it signed in, not of its width. */
export const atDesk = (): boolean => session.value?.device_class === 'desktop'
