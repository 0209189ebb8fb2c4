// The Contacts tab: search, and the groups.
import { contactGroups, contactSearch as search, loadContacts } from '../people'
import { text, wireText } from '../../text/text'
import type { ContactGroup } from '../../core'
import { Blank, Bones, Failure } from '../parts/Blank'
import { PersonRow } from '../parts/PersonRow'
import { List } from '../parts/rows'
import { ListScreen } from '../parts/Screen'
import { idsOf, Results, SearchField, useWatch } from '../parts/Search'
import { href } from '../router'

/** titleOf names a group: by the person's or department's own name, else by the text of its key. */
const titleOf = (group: ContactGroup) => group.name ?? wireText('group', group.key) ?? text('group.other')

function Groups({ current }: { current: string | undefined }) {
  const loaded = contactGroups.value
  const groups = loaded.at === 'here' ? loaded.value.filter((group) => group.people.length > 0) : []
  useWatch('contacts', groups.flatMap((group) => idsOf(group.people)))
  if (loaded.at === 'loading') return <Bones />
  if (loaded.at === 'failed') return <Failure error={loaded.error} onRetry={() => void loadContacts()} />
  if (groups.length === 0) {
    return (
      <Blank title={text('contacts.none')}>
        <p>{text('contacts.none-hint')}</p>
      </Blank>
    )
  }
  return groups.map((group) => (
    <section key={group.id}>
      <h2 class="section">
        <bdi>{titleOf(group)}</bdi>
      </h2>
      <List kind="plain">
        {group.people.map((row) => (
          <PersonRow key={row.id} row={row} to={href('contacts', row.id)} current={row.id === current} />
        ))}
      </List>
    </section>
  ))
}

/** Contacts is the list of the first tab. */
export function Contacts({ current }: { current: string | undefined }) {
  return (
    <ListScreen title={text('tab.contacts')}>
      <SearchField search={search} />
      {search.found.value ? <Results search={search} to={(row) => href('contacts', row.id)} current={current} /> : <Groups current={current} />}
    </ListScreen>
  )
}
