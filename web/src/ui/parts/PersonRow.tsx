// A person as a row, and what a presence says in one line.
import type { ComponentChildren } from 'preact'
import type { DirectoryGroupRow, FoundRow, Presence } from '../../core'
import { person, presence } from '../../core'
import { presenceText } from '../../text/presence'
import { text } from '../../text/text'
import { onDevice } from '../device'
import { Face } from './Face'
import { ContactsIcon, DeviceIcon } from './icons'

/** stateOf is a person's state as far as it is known now. A state that came with an old row is not: nothing is shown rather than something stale. */
export const stateOf = (id: string | undefined): Presence | undefined => (id === undefined ? undefined : presence(id).value)

/** oneLine is the state, and the note where there is one. */
function oneLine(state: Presence | undefined) {
  const words = presenceText(state)
  const note = state?.out_of_office ?? state?.note
  return (
    <>
      {words}
      {note !== undefined && note !== '' && (
        <>
          {words !== '' && ' · '}
          <bdi>{note}</bdi>
        </>
      )}
    </>
  )
}

interface PersonRowProps {
  /** `matched`, where it is there, says through what the search found them. */
  row: FoundRow
  to: string
  current?: boolean
  /** What can be done with the person right here; it stands at the end of the row. */
  children?: ComponentChildren
}

/** PersonRow is a row that leads to a person's card or conversation. */
export function PersonRow({ row, to, current = false, children }: PersonRowProps) {
  const shown = person(row.id).value ?? row
  const state = stateOf(row.id)
  const job = [shown.title, shown.department].filter((s) => s !== undefined && s !== '').join(', ')
  // A title that the row shows anyway is not said twice.
  const matched = row.matched === undefined || job.includes(row.matched) ? '' : row.matched
  return (
    <li class={children === undefined ? 'person' : 'person sided'} data-who={row.id}>
      <a class="row" href={to} aria-current={current ? 'true' : undefined}>
        <Face row={shown} presence={state} />
        <span class="main">
          <span class="name">
            <bdi>{shown.display_name}</bdi>
            {onDevice(shown) && (
              <span class="source" role="img" aria-label={text('sources.mark')} title={text('sources.mark')}>
                <DeviceIcon />
              </span>
            )}
          </span>
          {matched !== '' && (
            <small class="line matched">
              <bdi>{matched}</bdi>
            </small>
          )}
          <small class="line">{oneLine(state)}</small>
          {job !== '' && (
            <small class="line">
              <bdi>{job}</bdi>
            </small>
          )}
        </span>
      </a>
      {children}
    </li>
  )
}

interface GroupRowProps {
  row: DirectoryGroupRow
  to: string
  current?: boolean
  children?: ComponentChildren
}

/** GroupRow is a group of the directory as a row. */
export function GroupRow({ row, to, current = false, children }: GroupRowProps) {
  const what = [text('list.kind'), row.description ?? row.mail].filter((s) => s !== undefined && s !== '')
  return (
    <li class={children === undefined ? 'person' : 'person sided'} data-who={row.id}>
      <a class="row" href={to} aria-current={current ? 'true' : undefined}>
        <span class="face list" aria-hidden="true">
          <ContactsIcon />
        </span>
        <span class="main">
          <bdi class="name">{row.name}</bdi>
          <small class="line">
            <bdi>{what.join(' · ')}</bdi>
          </small>
        </span>
      </a>
      {children}
    </li>
  )
}
