// The contact list: kept on the device to be read without the network, fetched
// when the connection is back and when the server says that it has changed, and
// changed through the server only.
import { computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { addContactGroup, changeContactGroup, deleteContactGroup, exportContactsUrl, getContacts, importContacts, removeContact, setContact, setRelationship as putRelationship, type ContactsImported, type SetContactRequest } from '../api.gen'
import { current, type Account } from './account'
import { ApiError, serverUrl } from './call'
import { realClock } from './clock'
import { connectionState } from './live'
import { account, bound, learn, own, stays } from './people'
import type { News } from './tabs/messages'
import type { ContactGroup } from './wire'

/** A privacy relationship, or what the organisation gives everybody. */
export type Level = NonNullable<SetContactRequest['level']>

/** A list that is fetched: not there yet, there, or failed. */
export type Loaded<T> = { readonly at: 'loading' } | { readonly at: 'here'; readonly value: T } | { readonly at: 'failed'; readonly error: unknown }

/** What a group is: one of the two that everybody has, one of the person's own, or one that is offered as a start. */
export type GroupKind = 'favourites' | 'own' | 'others' | 'suggested'

/** The kind of a group. */
export function kindOf(group: ContactGroup): GroupKind {
  if (group.suggested) return 'suggested'
  if (group.key === 'contacts.favourites') return 'favourites'
  return group.key === 'contacts.group' ? 'own' : 'others'
}

/** Where somebody stands in the list. */
export interface Standing {
  readonly contact: boolean
  readonly favourite: boolean
  /** Ids of the own groups that they are in. */
  readonly groups: readonly string[]
}

/** Whether a group holds a person, or a group of the directory. */
export const holds = (group: ContactGroup, who: string): boolean =>
  group.people.some((p) => p.id === who) || (group.lists ?? []).some((l) => l.id === who)

/** Where somebody stands in a list. A suggestion is no contact. */
export function standing(list: readonly ContactGroup[], who: string): Standing {
  const kinds = list.filter((g) => holds(g, who)).map((g) => ({ id: g.id, kind: kindOf(g) })).filter((g) => g.kind !== 'suggested')
  return {
    contact: kinds.length > 0,
    favourite: kinds.some((g) => g.kind === 'favourites'),
    groups: kinds.filter((g) => g.kind === 'own').map((g) => g.id),
  }
}

/** One way to change where somebody stands: into a group, and out of the one that they were taken from unless they are copied. */
export interface Move {
  readonly from?: ContactGroup | undefined
  readonly to: ContactGroup
  readonly copy?: boolean
}

/** Where somebody stands after a move. `others` holds whoever is in no group, so moving there leaves all of them. */
export function moved(was: Standing, { from, to, copy = false }: Move): { favourite: boolean; groups: string[] } {
  const groups = new Set(was.groups)
  let { favourite } = was
  if (!copy && from && from.id !== to.id) {
    groups.delete(from.id)
    if (kindOf(from) === 'favourites') favourite = false
  }
  const kind = kindOf(to)
  if (kind === 'favourites') favourite = true
  else if (kind === 'own') groups.add(to.id)
  else if (!copy) groups.clear()
  return { favourite, groups: [...groups] }
}

const list = signal<Loaded<readonly ContactGroup[]>>({ at: 'loading' })
const folded = signal<ReadonlySet<string>>(new Set())
let version: number | undefined
let reading: Promise<void> | undefined
let again = false
/** Changes that are under way. */
let changing = 0

/** How far a change over many is. */
export interface Far { readonly done: number; readonly total: number }
const far = signal<Far | undefined>(undefined)

/** The change over many contacts that is under way; undefined while there is none. */
export const contactsFar: ReadonlySignal<Far | undefined> = far

/** The groups of the Contacts tab. */
export const contactList: ReadonlySignal<Loaded<readonly ContactGroup[]>> = list

/** Groups that are folded away on this device. */
export const foldedGroups: ReadonlySignal<ReadonlySet<string>> = folded

const groupsNow = computed(() => (list.value.at === 'here' ? list.value.value : []))

/** Where somebody stands in the list now; follows it in a component. */
export const standingOf = (who: string): Standing => standing(groupsNow.value, who)

/** Follows the signed-in person. Called once, before the core starts. */
export function followContacts(): void {
  effect(() => {
    const open = current.value
    untracked(() => {
      list.value = { at: 'loading' }
      folded.value = new Set()
      version = undefined
      far.value = undefined
      if (!open) return
      open.hear.add((news) => heard(news))
      void recall(open)
    })
  })
  effect(() => {
    if (connectionState.value === 'online' && current.value) void untracked(loadContacts)
  })
}

function heard(news: News): void {
  // Changes of this tab's own are read when they are all done.
  if (news.news === 'contacts' && news.version !== version && changing === 0) void loadContacts()
}

async function recall(open: Account): Promise<void> {
  const [kept, away] = await Promise.all([
    open.shelf.get<ContactGroup[]>('contacts').catch(() => undefined),
    open.shelf.get<string[]>('contacts/folded').catch(() => undefined),
  ])
  if (current.peek() !== open) return
  if (away) folded.value = new Set(away)
  if (kept && list.peek().at !== 'here') list.value = { at: 'here', value: kept }
}

/** Fetches the list; what is shown stays until then, and when it cannot be had. It never rejects. */
export function loadContacts(): Promise<void> {
  again = true
  reading ??= readUntilFresh().finally(() => (reading = undefined))
  return reading
}

// What changes while a list is on its way is in none that was asked for before.
async function readUntilFresh(): Promise<void> {
  while (again) {
    again = false
    await read()
  }
}

async function read(): Promise<void> {
  const open = current.peek()
  if (!open) return
  try {
    const answer = await getContacts()
    if (current.peek() !== open) return
    learn(open, answer.groups.flatMap((g) => g.people))
    version = answer.version
    list.value = { at: 'here', value: answer.groups }
    const plain = answer.groups.map((g) => ({ ...g, people: g.people.map(({ presence: _, ...row }) => row) }))
    open.shelf.put(new Map([['contacts', plain]])).catch(() => undefined)
  } catch (error) {
    if (current.peek() === open && list.peek().at !== 'here') list.value = { at: 'failed', error }
  }
}

/** Folds a group away on this device, or unfolds it. */
export function foldGroup(id: string, away: boolean): void {
  const next = new Set(folded.peek())
  if (away) next.add(id)
  else next.delete(id)
  folded.value = next
  current.peek()?.shelf.put(new Map([['contacts/folded', [...next]]])).catch(() => undefined)
}

// --- Changes. Each rejects with an ApiError when the server refuses it.

// What a refused change left is read again: half of a change over several people may be done.
async function change(work: (owner: Account) => Promise<unknown>): Promise<void> {
  const owner = account()
  changing++
  await own(owner, async () => {
    try {
      await work(owner)
    } finally {
      changing--
      await loadContacts()
    }
  })
}

/** How often one of many changes is tried again when the server wants them slower. */
const tries = 5
/** Changes of many that are on their way to the server together. */
const together = 4

async function patiently(owner: Account, work: () => Promise<unknown>): Promise<void> {
  for (let i = 1; ; i++) {
    // A change goes to the account of the cookie: what is left of a change of many must not go to that of the next person.
    if (!stays(owner)) throw new ApiError('sign-in', 'error.sign-in')
    try {
      await work()
      return
    } catch (cause) {
      if (!(cause instanceof ApiError) || cause.kind !== 'too-many' || i === tries) throw cause
      await new Promise<void>((ok) => realClock.after((cause.retryAfter ?? 1) * 1000, ok))
    }
  }
}

// Begins no further change after one has failed; those that are on their way are waited for.
async function each(owner: Account, people: readonly string[], work: (who: string) => Promise<unknown>): Promise<void> {
  const waiting = [...people]
  const failures: unknown[] = []
  let done = 0
  const tell = (): void => {
    if (people.length > 1 && stays(owner)) far.value = { done, total: people.length }
  }
  const some = async (): Promise<void> => {
    for (let who = waiting.shift(); who !== undefined && failures.length === 0; who = waiting.shift()) {
      const one = who
      await patiently(owner, () => work(one)).then(() => done++, (cause: unknown) => failures.push(cause))
      tell()
    }
  }
  tell()
  await Promise.all(Array.from({ length: together }, some))
  if (stays(owner)) far.value = undefined
  if (failures.length > 0) throw failures[0]
}

/** Makes people contacts, by id, address or id of a directory group. */
export const addContacts = (people: readonly string[], level?: Level): Promise<void> => change((owner) => each(owner, people, (who) => setContact({ who }, { level })))

/** Stars somebody, or takes the star away. */
export const setFavourite = (who: string, favourite: boolean): Promise<void> => change(() => setContact({ who }, { favourite }))

/** Puts a contact into exactly these of the own groups. */
export const setGroups = (who: string, groups: readonly string[]): Promise<void> => change(() => setContact({ who }, { groups }))

/** Moves or copies contacts between groups. */
export function moveContacts(people: readonly string[], move: Move): Promise<void> {
  const before = groupsNow.peek()
  return change((owner) => each(owner, people, (who) => setContact({ who }, moved(standing(before, who), move))))
}

/** Takes people off the list. Resolves with what puts them back. */
export async function removeContacts(people: readonly string[]): Promise<() => Promise<void>> {
  const before = new Map(people.map((who) => [who, standing(groupsNow.peek(), who)]))
  const undo = bound(() =>
    change((owner) =>
      each(owner, people, (who) => {
        const { favourite, groups } = before.get(who) ?? { favourite: false, groups: [] }
        return setContact({ who }, { favourite, groups })
      }),
    ),
  )
  await change((owner) => each(owner, people, (who) => removeContact({ who })))
  return undo
}

/** Makes a group and puts people into it. */
export const addGroup = (name: string, people: readonly string[] = [], from?: ContactGroup): Promise<void> => {
  const before = groupsNow.peek()
  return change(async (owner) => {
    const { group: id = '' } = await addContactGroup({ name })
    const to: ContactGroup = { id, key: 'contacts.group', name, people: [] }
    await each(owner, people, (who) => setContact({ who }, moved(standing(before, who), { from, to })))
  })
}

export const renameGroup = (group: string, name: string): Promise<void> => change(() => changeContactGroup({ group }, { name }))

/** Moves an own group to a place among them, from 0. */
export const placeGroup = (group: string, position: number): Promise<void> => change(() => changeContactGroup({ group }, { position }))

/** Deletes an own group; its contacts stay. Resolves with what brings it back. */
export async function deleteGroup(group: ContactGroup): Promise<() => Promise<void>> {
  const own = groupsNow.peek().filter((g) => kindOf(g) === 'own')
  const position = own.findIndex((g) => g.id === group.id)
  const people = [...group.people.map((p) => p.id), ...(group.lists ?? []).map((l) => l.id)]
  const undo = bound(async () => {
    const before = groupsNow.peek()
    await change(async (owner) => {
      const { group: id = '' } = await addContactGroup({ name: group.name ?? '' })
      await patiently(owner, () => changeContactGroup({ group: id }, { position }))
      await each(owner, people, (who) => setContact({ who }, { groups: [...standing(before, who).groups, id] }))
    })
  })
  await change(() => deleteContactGroup({ group: group.id }))
  return undo
}

/** Decides what somebody gets of one's own information; `default` goes back to what the organisation gives everybody. */
export const setRelationship = (who: string, level: Level): Promise<void> => change(() => putRelationship({ who }, { level }))

/** Address of a download of the whole list. */
export const exportUrl = (format: 'json' | 'vcard'): string => serverUrl(exportContactsUrl({ format }))

/** Adds what an exported file holds. */
export async function importList(data: string): Promise<ContactsImported> {
  const format = /^\s*BEGIN:VCARD/i.test(data) ? 'vcard' : 'json'
  let done: ContactsImported | undefined
  await change(async () => (done = await importContacts({ format, data })))
  if (!done) throw new ApiError('internal', 'error.internal', undefined, 'later')
  return done
}
