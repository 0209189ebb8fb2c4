// A person as a row, and what a presence says in one line.
import type { PersonRow as Row, Presence } from '../../core'
import { person, presence } from '../../core'
import { presenceText } from '../../text/presence'
import { Face } from './Face'

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

/** PersonRow is a row that leads to a person's card or conversation. */
export function PersonRow({ row, to, current = false }: { row: Row; to: string; current?: boolean }) {
  const shown = person(row.id).value ?? row
  const state = stateOf(row.id)
  const job = [shown.title, shown.department].filter((s) => s !== undefined && s !== '').join(', ')
  return (
    <li class="person">
      <a class="row" href={to} aria-current={current ? 'true' : undefined}>
        <Face row={shown} presence={state} />
        <span class="main">
          <bdi class="name">{shown.display_name}</bdi>
          <small class="line">{oneLine(state)}</small>
          {job !== '' && (
            <small class="line">
              <bdi>{job}</bdi>
            </small>
          )}
        </span>
      </a>
    </li>
  )
}
