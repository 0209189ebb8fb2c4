// The Contacts tab: search, who has added me, and the groups. Managing them belongs to the desk and is loaded there.
import type { ComponentChildren } from 'preact'
import { addedMe, contactList, foldedGroups, foldGroup, kindOf, loadContacts, type ContactGroup } from '../../core'
import { text, wireText } from '../../text/text'
import { later } from '../later'
import { AddButton } from '../parts/AddButton'
import { Blank, Bones, Failure } from '../parts/Blank'
import { GroupRow, PersonRow } from '../parts/PersonRow'
import { LinkRow, List } from '../parts/rows'
import { ListScreen } from '../parts/Screen'
import { idsOf, Results, SearchField, useWatch } from '../parts/Search'
import { atDesk, contactSearch as search } from '../people'
import { href } from '../router'

/** titleOf names a group: by its own name, else by the text of its key. */
export const titleOf = (group: ContactGroup) => group.name ?? wireText('group', group.key) ?? text('group.other')

/** headingId names a group's heading in the page. */
export const headingId = (group: ContactGroup) => `group-${group.id}`

const size = (group: ContactGroup) => group.people.length + (group.lists?.length ?? 0)

interface SectionProps {
  group: ContactGroup
  current: string | undefined
  /** What can be done with the group, at the end of its heading. */
  aside?: ComponentChildren
  /** Keys pressed on the heading. */
  onKey?: (e: KeyboardEvent) => void
  /** The people, where they are not drawn as plain rows. */
  children?: ComponentChildren
}

/** Section is a group under its heading, which folds it away. */
export function Section({ group, current, aside, onKey, children }: SectionProps) {
  const away = foldedGroups.value.has(group.id)
  return (
    <section>
      <div class="section">
        <h2>
          <button type="button" class="fold" id={headingId(group)} aria-expanded={!away} onClick={() => foldGroup(group.id, !away)} onKeyDown={onKey}>
            <span class="more" aria-hidden="true" />
            <bdi>{titleOf(group)}</bdi>
            <small aria-hidden="true">{size(group).toLocaleString()}</small>
            <span class="unseen">{text('contacts.size', { count: size(group) })}</span>
          </button>
        </h2>
        {aside}
      </div>
      {!away && (children ?? <Rows group={group} current={current} />)}
    </section>
  )
}

function Rows({ group, current }: { group: ContactGroup; current: string | undefined }) {
  return (
    <List kind="plain" label={titleOf(group)}>
      {group.people.map((row) => (
        <PersonRow key={row.id} row={row} to={href('contacts', row.id)} current={row.id === current} />
      ))}
      {group.lists?.map((row) => (
        <GroupRow key={row.id} row={row} to={href('contacts', row.id)} current={row.id === current} />
      ))}
    </List>
  )
}

/** GroupsProps: `draw` draws each group, in order. */
interface GroupsProps { draw: (group: ContactGroup) => ComponentChildren; empty?: boolean; hint?: ComponentChildren }

/** Groups are the groups, or what stands in their place. `empty` shows own groups that hold nobody, too. */
export function Groups({ draw, empty = false, hint }: GroupsProps) {
  const loaded = contactList.value
  const groups = loaded.at === 'here' ? loaded.value.filter((group) => size(group) > 0 || (empty && kindOf(group) === 'own')) : []
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
  const start = groups.every((group) => kindOf(group) === 'suggested')
  return (
    <>
      {start && (
        <div class="says start">
          <h2>{text('contacts.start')}</h2>
          <p>
            {text('contacts.start-hint')}
            {!atDesk() && ` ${text('contacts.start-phone')}`}
          </p>
        </div>
      )}
      {groups.map(draw)}
      {hint}
    </>
  )
}

function ReadGroups({ current }: { current: string | undefined }) {
  return (
    <Groups
      draw={(group) => <Section key={group.id} group={group} current={current} />}
      hint={!atDesk() && <p class="foot below">{text('contacts.desk-only')}</p>}
    />
  )
}

const desk = () => import('../desk/Contacts')
const Nothing = () => null
const DeskGroups = later(() => desk().then((m) => m.DeskGroups), ReadGroups)
const EditButton = later(() => desk().then((m) => m.EditButton), Nothing)
const NewGroupButton = later(() => desk().then((m) => m.NewGroupButton), Nothing)
const PickedTools = later(() => desk().then((m) => m.PickedTools), Nothing)

/** AddedRow leads to the people who have added me. */
function AddedRow({ current }: { current: string | undefined }) {
  const count = addedMe.value.length
  if (count === 0) return null
  return (
    <List kind="group" label={text('added.title')}>
      <LinkRow to={href('contacts', 'added')} current={current === 'added'} title={text('added.badge', { count })} />
    </List>
  )
}

/** Contacts is the list of the first tab. */
export function Contacts({ current }: { current: string | undefined }) {
  const manages = atDesk()
  const searching = search.found.value !== undefined
  return (
    <ListScreen
      title={text('tab.contacts')}
      left={manages && !searching && <EditButton />}
      right={manages && <NewGroupButton />}
      below={manages && !searching && <PickedTools />}
    >
      <SearchField search={search} />
      {searching ? (
        <Results
          search={search}
          to={(row) => href('contacts', row.id)}
          toGroup={(row) => href('contacts', row.id)}
          current={current}
          {...(manages ? { deed: (row) => <AddButton row={row} /> } : {})}
        />
      ) : (
        <>
          <AddedRow current={current} />
          {manages ? <DeskGroups current={current} /> : <ReadGroups current={current} />}
        </>
      )}
    </ListScreen>
  )
}
