// Adding somebody to Contacts, where they stand: in search results and suggestions.
import { useState } from 'preact/hooks'
import { addContacts, isDeviceId, session, standingOf, type DirectoryGroupRow, type PersonRow } from '../../core'
import { text } from '../../text/text'
import { announce, complain } from '../announce'
import { wordsFor } from './Blank'
import { AddIcon } from './icons'

export const nameOf = (row: PersonRow | DirectoryGroupRow): string => ('display_name' in row ? row.display_name : row.name)

/** AddButton is nothing for a contact, and for oneself. */
export function AddButton({ row }: { row: PersonRow | DirectoryGroupRow }) {
  const [busy, setBusy] = useState(false)
  const name = nameOf(row)
  if (isDeviceId(row.id) || standingOf(row.id).contact || row.id === session.value?.person.id) return null
  const add = async () => {
    setBusy(true)
    try {
      await addContacts([row.id])
      announce(text('contacts.added', { name }))
    } catch (error) {
      complain(wordsFor(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="aside" disabled={busy} aria-label={text('contacts.add-name', { name })} title={text('contacts.add')} onClick={() => void add()}>
      <AddIcon />
    </button>
  )
}
