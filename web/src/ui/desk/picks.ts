// Contacts that are picked from the list to do something with them, each with the group that it was picked in.
import { moveContacts, removeContacts, kindOf, type ContactGroup } from '../../core'
import { text } from '../../text/later'
import { announce, complain, offerUndo } from '../announce'
import { wordsFor } from '../parts/Blank'
import { titleOf } from '../screens/Contacts'

/** Pick is one contact, a person or a group of the directory, where it stands. */
export interface Pick { readonly who: string; readonly name: string; readonly group: ContactGroup | undefined }

/** nameFor is the one name that a sentence about some picks has; with several it counts them. */
const nameFor = (picks: readonly Pick[]): string => picks[0]?.name ?? ''

/** place moves or copies picks into a group, and says so. */
export async function place(picks: readonly Pick[], to: ContactGroup, copy: boolean): Promise<void> {
  const from = new Map<string, { group: ContactGroup | undefined; people: string[] }>()
  for (const { who, group } of picks) {
    const key = group?.id ?? ''
    const there = from.get(key)
    if (there) there.people.push(who)
    else from.set(key, { group, people: [who] })
  }
  try {
    for (const { group, people } of from.values()) await moveContacts(people, { from: group, to, copy })
    const values = { count: new Set(picks.map((p) => p.who)).size, name: nameFor(picks), group: titleOf(to) }
    announce(copy ? text('contact.copied', values) : text('contact.moved', values))
  } catch (error) {
    complain(wordsFor(error))
  }
}

/** remove takes picks off the list, with a way back. */
export async function remove(picks: readonly Pick[]): Promise<void> {
  const people = [...new Set(picks.map((p) => p.who))]
  try {
    const undo = await removeContacts(people)
    offerUndo(text('contacts.removed', { count: people.length, name: nameFor(picks) }), undo, wordsFor)
  } catch (error) {
    complain(wordsFor(error))
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
