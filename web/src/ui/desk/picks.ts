// Contacts that are picked from the list to do something with them, each with the group that it was picked in.
import { moveContacts, removeContacts, kindOf, type ContactGroup } from '../../core'
import { text } from '../../text/later'
import { announce, complain, offerUndo } from '../announce'
import { wordsFor } from '../parts/Blank'
import { headingId, titleOf } from '../screens/Contacts'

/** Pick is one contact, a person or a group of the directory, where it stands. */
export interface Pick { readonly who: string; readonly name: string; readonly group: ContactGroup | undefined }

/** nameFor is the one name that a sentence about some picks has; with several it counts them. */
const nameFor = (picks: readonly Pick[]): string => picks[0]?.name ?? ''

/** after calls when the view has followed what changed. */
const after = (work: () => void) => setTimeout(work)

/** focusOn focuses the first of these that there is, if what had the focus has gone. */
function focusOn(places: readonly (() => Element | null | undefined)[]): void {
  after(() => {
    if (document.activeElement !== null && document.activeElement !== document.body) return
    for (const place of [...places, () => document.querySelector('.pane.detail h1'), () => document.querySelector('.pane.list h1')]) {
      const found = place()
      if (found instanceof HTMLElement && found.isConnected) return found.focus()
    }
  })
}

/** nextRow remembers where picks stand. What it returns focuses the row after them, else the one before, else the heading, once they have gone. */
export function nextRow(picks: readonly Pick[]): () => void {
  const last = picks.at(-1)
  const heading = last?.group && document.getElementById(headingId(last.group))
  const rows = [...(heading?.closest('.drop')?.querySelectorAll<HTMLElement>('[data-who]') ?? [])]
  const at = rows.findIndex((row) => row.dataset['who'] === last?.who)
  const near = [...rows.slice(Math.max(at, 0)), ...rows.slice(0, Math.max(at, 0)).reverse()]
  return () => focusOn([...near.map((row) => () => row.isConnected ? row.querySelector('button.aside, .aside input, a.row') : null), () => heading])
}

/** nextGroup is nextRow for a group. */
export function nextGroup(group: ContactGroup): () => void {
  const all = [...document.querySelectorAll('.drop .fold')]
  const at = all.findIndex((heading) => heading.id === headingId(group))
  return () => focusOn([...all.slice(at), ...all.slice(0, at).reverse()].map((heading) => () => heading))
}

/** place moves or copies picks into a group, and says so; true when all of it was done. */
export async function place(picks: readonly Pick[], to: ContactGroup, copy: boolean): Promise<boolean> {
  const from = new Map<string, { group: ContactGroup | undefined; people: string[] }>()
  for (const { who, group } of picks) {
    const key = group?.id ?? ''
    const there = from.get(key)
    if (there) there.people.push(who)
    else from.set(key, { group, people: [who] })
  }
  const next = nextRow(picks)
  try {
    for (const { group, people } of from.values()) await moveContacts(people, { from: group, to, copy })
    const values = { count: new Set(picks.map((p) => p.who)).size, name: nameFor(picks), group: titleOf(to) }
    announce(copy ? text('contact.copied', values) : text('contact.moved', values))
    return true
  } catch (error) {
    complain(wordsFor(error))
    return false
  } finally {
    next()
  }
}

/** remove takes picks off the list, with a way back; true when all of it was done. */
export async function remove(picks: readonly Pick[]): Promise<boolean> {
  const next = nextRow(picks)
  const people = [...new Set(picks.map((p) => p.who))]
  try {
    const undo = await removeContacts(people)
    offerUndo(text('contacts.removed', { count: people.length, name: nameFor(picks) }), undo, wordsFor)
    return true
  } catch (error) {
    complain(wordsFor(error))
    return false
  } finally {
    next()
  }
}

/** attempt does something and says what went wrong; true when nothing did. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work()
    if (done !== undefined) announce(done)
    return true
  } catch (error) {
    complain(wordsFor(error))
    return false
  }
}

/** targets are the groups that a contact can be moved or copied into. */
export const targets = (groups: readonly ContactGroup[], copy: boolean): ContactGroup[] =>
  groups.filter((group) => kindOf(group) === 'own' || kindOf(group) === 'favourites' || (!copy && kindOf(group) === 'others'))
