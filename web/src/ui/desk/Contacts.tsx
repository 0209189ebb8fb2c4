// The Contacts tab as it is managed at a desk: menus, dragging, and picking several at once.
import { signal } from '@preact/signals'
import type { TargetedDragEvent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { addContacts, contactsFar, holds, kindOf, type ContactGroup, type DirectoryGroupRow, type Far, type PersonRow as Row } from '../../core'
import { text } from '../../text/later'
import { AddButton, nameOf } from '../parts/AddButton'
import { AddIcon, MoreIcon } from '../parts/icons'
import { GroupRow, PersonRow } from '../parts/PersonRow'
import { List } from '../parts/rows'
import { groupsNow } from '../people'
import { href } from '../router'
import { Groups, Section, titleOf } from '../screens/Contacts'
import { attempt, place, remove, type Pick } from './picks'
import { ContactSheet, GroupSheet, NameSheet, PlaceSheet, shift } from './sheets'

const keyOf = (group: ContactGroup, who: string) => `${group.id} ${who}`

/** picked are the rows that are picked while the list is edited; undefined when it is not. */
const picked = signal<ReadonlySet<string> | undefined>(undefined)

/** chosen are the picked contacts that are still there. */
function chosen(): Pick[] {
  const keys = picked.value
  if (!keys) return []
  return groupsNow().flatMap((group) => rowsOf(group).filter((row) => keys.has(keyOf(group, row.id))).map((row) => ({ who: row.id, name: nameOf(row), group })))
}

const rowsOf = (group: ContactGroup): (Row | DirectoryGroupRow)[] => [...group.people, ...(group.lists ?? [])]

function toggle(key: string): void {
  const next = new Set(picked.peek())
  if (!next.delete(key)) next.add(key)
  picked.value = next
}

/** EditButton begins and ends picking. */
export function EditButton() {
  const editing = picked.value !== undefined
  useEffect(() => () => void (picked.value = undefined), [])
  if (!editing && !groupsNow().some((group) => kindOf(group) !== 'suggested')) return null
  return (
    <button type="button" class="edit" onClick={() => (picked.value = editing ? undefined : new Set())}>
      {text(editing ? 'contacts.done' : 'contacts.edit')}
    </button>
  )
}

/** NewGroupButton makes a group. */
export function NewGroupButton() {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" aria-haspopup="dialog" aria-label={text('contacts.new-group')} title={text('contacts.new-group')} onClick={() => setOpen(true)}>
        <AddIcon />
      </button>
      {open && <NameSheet onClose={() => setOpen(false)} />}
    </>
  )
}

/** FarBar says how far a change over many is. */
const FarBar = ({ far: { done, total } }: { far: Far }) => (
  <>
    <progress class="progress" max={total} value={done} aria-label={text('contacts.far-of')} />
    <span>{text('contacts.far', { done, total })}</span>
  </>
)

/** PickedTools is what can be done with the picked contacts. What could not be done stays picked. */
export function PickedTools() {
  const [placing, setPlacing] = useState<'move' | 'copy'>()
  if (picked.value === undefined) return null
  const picks = chosen()
  const far = contactsFar.value
  const none = picks.length === 0 || far !== undefined
  const done = () => (picked.value = undefined)
  return (
    <div class="tools" aria-busy={far !== undefined}>
      {far && <FarBar far={far} />}
      <button type="button" aria-haspopup="dialog" disabled={none} onClick={() => setPlacing('move')}>
        {text('contact.move')}
      </button>
      <button type="button" aria-haspopup="dialog" disabled={none} onClick={() => setPlacing('copy')}>
        {text('contact.copy')}
      </button>
      <button
        type="button"
        class="bad"
        disabled={none}
        onClick={() => void remove(picks).then((all) => all && done())}
      >
        {text('contacts.remove')}
      </button>
      {placing && <PlaceSheet picks={picks} copy={placing === 'copy'} onClose={() => setPlacing(undefined)} onDone={done} />}
    </div>
  )
}

// --- Dragging. What is dragged stays here: a page may not read it from the browser before it is dropped.

let dragged: readonly Pick[] = []

/** takes tells whether dropping here changes anything. */
function takes(group: ContactGroup, copy: boolean): boolean {
  const kind = kindOf(group)
  if (kind === 'suggested' || (copy && kind === 'others')) return false
  return dragged.some((pick) => pick.group?.id !== group.id && (kind === 'others' || !holds(group, pick.who) || !copy))
}

const copying = (e: DragEvent) => e.ctrlKey || e.altKey || e.metaKey

function useDrop(group: ContactGroup) {
  const [over, setOver] = useState(false)
  const start = (e: TargetedDragEvent<HTMLElement>) => {
    const row = (e.target as Element).closest<HTMLElement>('[data-who]')
    const who = row?.dataset['who']
    const found = rowsOf(group).find((r) => r.id === who)
    if (!found || !e.dataTransfer || kindOf(group) === 'suggested') return
    const all = chosen()
    const mine: Pick = { who: found.id, name: nameOf(found), group }
    dragged = all.some((p) => p.who === mine.who && p.group?.id === group.id) ? all : [mine]
    e.dataTransfer.effectAllowed = 'copyMove'
    e.dataTransfer.setData('text/plain', dragged.map((p) => p.name).join('\n'))
  }
  const move = (e: TargetedDragEvent<HTMLElement>) => {
    if (dragged.length === 0 || !takes(group, copying(e))) return
    e.preventDefault()
    if (e.dataTransfer) e.dataTransfer.dropEffect = copying(e) ? 'copy' : 'move'
    setOver(true)
  }
  const leave = (e: TargetedDragEvent<HTMLElement>) => {
    if (!(e.relatedTarget instanceof Node && e.currentTarget.contains(e.relatedTarget))) setOver(false)
  }
  const drop = (e: TargetedDragEvent<HTMLElement>) => {
    setOver(false)
    const picks = dragged
    dragged = []
    if (picks.length === 0) return
    e.preventDefault()
    void place(picks, group, copying(e))
  }
  const end = () => {
    dragged = []
    setOver(false)
  }
  return { over, on: { onDragStart: start, onDragOver: move, onDragLeave: leave, onDrop: drop, onDragEnd: end } }
}

// --- The groups

const SuggestedRow = ({ row, current }: { row: Row; current: boolean }) => (
  <PersonRow row={row} to={href('contacts', row.id)} current={current}>
    <AddButton row={row} />
  </PersonRow>
)

/** ManagedRow is a contact with its menu; while the list is edited, it is picked instead of opened. */
function ManagedRow({ row, group, current, onMenu }: { row: Row | DirectoryGroupRow; group: ContactGroup; current: boolean; onMenu: (pick: Pick) => void }) {
  const keys = picked.value
  const key = keyOf(group, row.id)
  const name = nameOf(row)
  const side =
    keys === undefined ? (
      <button type="button" class="aside" aria-haspopup="dialog" aria-label={text('contact.actions', { name })} onClick={() => onMenu({ who: row.id, name, group })}>
        <MoreIcon />
      </button>
    ) : (
      <label class="aside">
        <input class="pick" type="checkbox" aria-label={name} checked={keys.has(key)} onChange={() => toggle(key)} />
      </label>
    )
  const to = href('contacts', row.id)
  return 'display_name' in row ? (
    <PersonRow row={row} to={to} current={current}>
      {side}
    </PersonRow>
  ) : (
    <GroupRow row={row} to={to} current={current}>
      {side}
    </GroupRow>
  )
}

function Aside({ group, onMenu }: { group: ContactGroup; onMenu: () => void }) {
  if (kindOf(group) === 'suggested') {
    const far = contactsFar.value
    const add = () => attempt(() => addContacts(group.people.map((row) => row.id)), text('contacts.added-count', { count: group.people.length }))
    return (
      <button type="button" class="aside words" disabled={far !== undefined} aria-busy={far !== undefined} onClick={() => void add()}>
        {far ? text('contacts.far', { ...far }) : text('contacts.add-all')}
      </button>
    )
  }
  if (kindOf(group) !== 'own') return null
  return (
    <button type="button" class="aside" aria-haspopup="dialog" aria-label={text('group.actions', { group: titleOf(group) })} onClick={onMenu}>
      <MoreIcon />
    </button>
  )
}

function ManagedSection({ group, current, onMenu, onGroupMenu }: { group: ContactGroup; current: string | undefined; onMenu: (pick: Pick) => void; onGroupMenu: () => void }) {
  const { over, on } = useDrop(group)
  const suggested = kindOf(group) === 'suggested'
  const key = (e: KeyboardEvent) => {
    if (!e.altKey || kindOf(group) !== 'own' || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')) return
    e.preventDefault()
    void shift(group, e.key === 'ArrowUp' ? -1 : 1)
  }
  const rows = rowsOf(group)
  // While the list is edited, a row is picked wherever it is tapped.
  const pick = (e: MouseEvent) => {
    const who = (e.target as Element).closest('a.row')?.closest<HTMLElement>('[data-who]')?.dataset['who']
    if (picked.peek() === undefined || who === undefined) return
    e.preventDefault()
    toggle(keyOf(group, who))
  }
  return (
    <div class={over ? 'drop over' : 'drop'} onClick={pick} {...on}>
      <Section group={group} current={current} aside={<Aside group={group} onMenu={onGroupMenu} />} onKey={key}>
        {rows.length === 0 ? (
          <p class="says soft empty">{text('contacts.empty-group')}</p>
        ) : (
          <List kind="plain" label={titleOf(group)}>
            {suggested
              ? group.people.map((row) => <SuggestedRow key={row.id} row={row} current={row.id === current} />)
              : rows.map((row) => <ManagedRow key={row.id} row={row} group={group} current={row.id === current} onMenu={onMenu} />)}
          </List>
        )}
      </Section>
    </div>
  )
}

/** DeskGroups are the groups of the Contacts tab with everything that manages them. */
export function DeskGroups({ current }: { current: string | undefined }) {
  const [menu, setMenu] = useState<Pick>()
  const [groupMenu, setGroupMenu] = useState<ContactGroup>()
  return (
    <>
      <Groups
        empty
        draw={(group) => <ManagedSection key={group.id} group={group} current={current} onMenu={setMenu} onGroupMenu={() => setGroupMenu(group)} />}
        hint={groupsNow().some((group) => kindOf(group) === 'own') && <p class="foot below">{text('contacts.drag-hint')}</p>}
      />
      {menu && <ContactSheet pick={menu} onClose={() => setMenu(undefined)} />}
      {groupMenu && <GroupSheet group={groupMenu} onClose={() => setGroupMenu(undefined)} />}
    </>
  )
}
