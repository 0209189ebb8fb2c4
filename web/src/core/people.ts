// People: rows are remembered on the device, sealed, so that names show without
// the network; states are watched while a screen shows them.
import { effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals'
import { getCard, getDirectoryGroup, photoUrl as photoPath, searchPeople } from '../api.gen'
import { current, type Account } from './account'
import { ApiError, serverUrl } from './call'
import { connectionState, forgetPresence, presenceOf } from './live'
import { isDeviceId } from './sources/state'
import type { News } from './tabs/messages'
import type { Card, DirectoryGroup, DirectoryGroupRow, FoundRow, PersonRow, Presence } from './wire'

/** A kept row is asked for again when it is older than this. */
const freshMs = 24 * 60 * 60_000
const mostRequests = 4
const watchRestsMs = 30

interface Kept {
  row: PersonRow
  at: number
}

const rows = new Map<string, Signal<PersonRow | undefined>>()
/** knownPeople, until a row changes. */
let known: readonly PersonRow[] | undefined
const asked = new Set<string>()
let wanted: string[] = []
let requests = 0
const watchers = new Map<string, readonly string[]>()
let watchTimer: ReturnType<typeof setTimeout> | undefined

/** Follows the signed-in person. Called once, before the core starts. */
export function followPeople(): void {
  effect(() => {
    const account = current.value
    untracked(() => {
      for (const row of rows.values()) row.value = undefined
      known = undefined
      asked.clear()
      wanted = []
      if (!account) return
      learn(account, [account.session.person])
      account.hear.add((news) => heard(news))
      for (const id of rows.keys()) if (!isDeviceId(id)) void recall(account, id)
      sendWatch()
    })
  })
  effect(() => {
    if (connectionState.value === 'online') untracked(fetchWanted)
  })
}

const cards = new Map<string, Signal<number>>()

/** Counts how often the server has said that somebody's card changed. */
export function cardChanges(id: string): ReadonlySignal<number> {
  let count = cards.get(id)
  if (!count) cards.set(id, (count = signal(0)))
  return count
}

function heard(news: News): void {
  if (news.news !== 'card') return
  const count = cards.get(news.person)
  if (count) count.value++
  if (!rows.has(news.person)) return
  asked.delete(news.person)
  want(news.person)
}

function rowSignal(id: string): Signal<PersonRow | undefined> {
  let row = rows.get(id)
  if (!row) rows.set(id, (row = signal(undefined)))
  return row
}

/** The row of a person, from the device first, then from the server; undefined until known. */
export function person(id: string): ReadonlySignal<PersonRow | undefined> {
  const known = rows.get(id)
  if (known) return known
  const row = rowSignal(id)
  const account = current.peek()
  // Cards of the device are none of the server's business, not even their ids.
  if (account && !isDeviceId(id)) void recall(account, id)
  return row
}

async function recall(account: Account, id: string): Promise<void> {
  const kept = await account.shelf.get<Kept>(`person/${id}`).catch(() => undefined)
  if (current.peek() !== account) return
  const row = rowSignal(id)
  if (kept) row.value ??= kept.row
  known = undefined
  if (!kept || Date.now() - kept.at > freshMs) want(id)
}

function want(id: string): void {
  if (asked.has(id) || wanted.includes(id)) return
  wanted.push(id)
  fetchWanted()
}

function fetchWanted(): void {
  while (requests < mostRequests && connectionState.peek() === 'online') {
    const id = wanted.shift()
    if (id === undefined) return
    asked.add(id)
    requests++
    card(id)
      .catch((cause: unknown) => {
        // Not there, or not for this viewer: asking again would not help.
        if (!(cause instanceof ApiError) || cause.retry === 'later') asked.delete(id)
      })
      .finally(() => {
        requests--
        fetchWanted()
      })
  }
}

/** Remembers rows that came from the server, here and on the device. */
export function learn(account: Account, list: readonly FoundRow[]): void {
  if (current.peek() !== account) return
  const kept = new Map<string, Kept>()
  // Why somebody was found belongs to the search and not to the person.
  for (const { presence, matched: _, ...row } of list) {
    rowSignal(row.id).value = row
    known = undefined
    asked.add(row.id)
    kept.set(`person/${row.id}`, { row, at: Date.now() })
    if (presence && !watched().has(row.id)) presenceOf(row.id).value = presence
  }
  // A full disk shows where messages are stored; a name can be asked for again.
  if (kept.size > 0) account.shelf.put(kept).catch(() => undefined)
}

/** Everybody whose row is known on this device at the moment, in no order; the same list until one of them changes. */
export const knownPeople = (): readonly PersonRow[] => (known ??= [...rows.values()].map((row) => row.peek()).filter((row) => row !== undefined))

/** Rows may have changed in a way that no event tells: these are asked for again. */
export function askAgain(ids: readonly string[]): void {
  for (const id of ids) {
    asked.delete(id)
    want(id)
  }
}

/** The signed-in person's account; throws an ApiError when nobody is signed in. */
export function account(): Account {
  const open = current.peek()
  if (!open) throw new ApiError('sign-in', 'error.sign-in')
  return open
}

/** Whether what was begun for somebody may go on: they are still signed in, by the same session. */
export const stays = ({ session }: Account): boolean => current.peek()?.session.device === session.device

/**
 * Binds work to whoever is signed in now. Under anybody else it is refused: whatever the work does, it does to the account
 * that the browser's cookie names.
 */
export function bound(work: () => Promise<void>): () => Promise<void> {
  const owner = account()
  return async () => {
    if (!stays(owner)) throw new ApiError('sign-in', 'error.sign-in')
    await own(owner, work)
  }
}

/**
 * Does work for somebody. What comes of it after they have gone, good or bad, is nobody's: it would be told to the next
 * person, so the promise never settles.
 */
export async function own<T>(owner: Account, work: () => Promise<T>): Promise<T> {
  const [done] = await Promise.allSettled([work()])
  if (!stays(owner)) return new Promise<never>(() => undefined)
  if (done.status === 'rejected') throw done.reason
  return done.value
}

/** What a screen has kept under a name for the signed-in person on this device, sealed; undefined when there is nothing. */
export const kept = <T>(name: string): Promise<T | undefined> => account().shelf.get<T>(`screen/${name}`)

/** Keeps something for a screen; what cannot be kept is not. */
export const keep = (name: string, value: unknown): void => void current.peek()?.shelf.put(new Map([[`screen/${name}`, value]])).catch(() => undefined)

/** The state of a watched person; undefined while unknown, and while offline. */
export const presence = (id: string): ReadonlySignal<Presence | undefined> => presenceOf(id)

/** Says whose state `owner` (a screen's name) shows; replaces its former list. An empty list ends it. */
export function watch(owner: string, people: readonly string[]): void {
  const ours = people.filter((id) => !isDeviceId(id))
  if (ours.length > 0) watchers.set(owner, ours)
  else watchers.delete(owner)
  watchTimer ??= setTimeout(sendWatch, watchRestsMs)
}

const watched = (): Set<string> => new Set([...watchers.values()].flat())

function sendWatch(): void {
  clearTimeout(watchTimer)
  watchTimer = undefined
  const open = current.peek()
  if (!open) return
  const people = watched().add(open.me)
  forgetPresence(people)
  open.hub.setStatus({ watch: [...people] })
}

/** What a search found: people in the server's order, and groups of the directory. */
export interface Found {
  people: FoundRow[]
  groups: DirectoryGroupRow[]
  more: boolean
}

/**
 * People search; at most 50. With `pad`, the text is what was typed on a dial pad. Every list of people that a search
 * field shows comes from here. Rejects with an ApiError, or with an AbortError when the signal says so.
 */
export async function search(q: string, options: { pad?: boolean; signal?: AbortSignal } = {}): Promise<Found> {
  const open = account()
  const found = await searchPeople({ q, limit: 50, pad: options.pad ? true : undefined }, options.signal)
  learn(open, found.people)
  return { people: [...found.people], groups: [...(found.groups ?? [])], more: found.more }
}

/** The whole card from the server, by id or sign-in address; rejects with an ApiError when it cannot be had. */
export async function card(id: string, signal?: AbortSignal): Promise<Card> {
  if (isDeviceId(id)) throw new ApiError('not-found', '')
  const open = account()
  const found = await getCard({ who: id }, signal)
  const { id: who, display_name, address, mail, other_mail, title, department, photo, presence } = found
  const related = [...(found.reports ?? []), ...(found.manager ? [found.manager] : [])]
  learn(open, [{ id: who, display_name, address, mail, other_mail, title, department, photo, presence }, ...related])
  return found
}

/** A group of the directory as far as it is known: the first page of its people, or all up to the page that was asked for. */
export async function directoryGroup(id: string, after?: string, signal?: AbortSignal): Promise<DirectoryGroup> {
  const open = account()
  const name = `group/${id}/${after ?? ''}`
  try {
    const group = await getDirectoryGroup({ group: id, after }, signal)
    learn(open, group.people)
    open.shelf.put(new Map([[name, group]])).catch(() => undefined)
    return group
  } catch (cause) {
    const later = cause instanceof ApiError && cause.retry === 'later'
    const kept = later ? await open.shelf.get<DirectoryGroup>(name) : undefined
    if (!kept) throw cause
    return kept
  }
}

/** Address of a picture for an <img>; undefined without a picture. */
export function photoUrl(row: PersonRow, size: 'small' | 'large'): string | undefined {
  if (row.photo === undefined || isDeviceId(row.id)) return row.photo
  // The version makes a changed picture another address.
  return `${serverUrl(photoPath({ who: row.id, size }))}&v=${encodeURIComponent(row.photo)}`
}
