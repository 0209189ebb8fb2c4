// A new message: find the person, then the conversation opens in this screen's place.
import { useMemo } from 'preact/hooks'
import { session, type PersonRow as Row } from '../../core'
import { text } from '../../text/text'
import { conversationHref, known, peopleSearch } from '../people'
import { PersonRow } from '../parts/PersonRow'
import { List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { idsOf, Results, SearchField, useWatch } from '../parts/Search'
import { go, href } from '../router'

const to = (row: Row) => conversationHref(row.id)

/** NewMessage offers the contacts at once, and everybody by search. */
export function NewMessage() {
  const search = useMemo(peopleSearch, [])
  const self = session.value?.person.id
  const people = known().filter((row) => row.id !== self)
  useWatch('new-message', idsOf(people))
  const replace = (e: MouseEvent) => {
    const link = (e.target as Element).closest('a.row')
    if (!link || e.metaKey || e.ctrlKey || e.shiftKey) return
    e.preventDefault()
    go(link.getAttribute('href') ?? href('chats'), true)
  }
  return (
    <DetailScreen title={text('chats.new')} parent={{ to: href('chats'), label: text('tab.chats'), top: true }}>
      <SearchField search={search} focused />
      <div onClick={replace}>
        {search.found.value ? (
          <Results search={search} to={to} toGroup={(row) => href('chats', 'new', row.id)} />
        ) : (
          <List kind="plain" label={text('tab.contacts')}>
            {people.map((row) => (
              <PersonRow key={row.id} row={row} to={to(row)} />
            ))}
          </List>
        )}
      </div>
    </DetailScreen>
  )
}
