// The menus of contacts and groups: what the mouse can do by dragging, for the keyboard and for everybody else.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { addGroup, deleteGroup, kindOf, placeGroup, renameGroup, setFavourite, setGroups, standingOf, type ContactGroup } from '../../core'
import { text } from '../../text/later'
import { announce, offerUndo } from '../announce'
import { wordsFor } from '../parts/Blank'
import { Cancel, Sheet } from '../parts/Sheet'
import { groupsNow } from '../people'
import { headingId, titleOf } from '../screens/Contacts'
import { attempt, nextGroup, nextRow, place, remove, targets, type Pick } from './picks'

interface ChoiceProps { onClick: () => void; danger?: boolean; disabled?: boolean; children: ComponentChildren }

const Choice = ({ onClick, danger = false, disabled = false, children }: ChoiceProps) => (
  <li>
    <button type="button" class={danger ? 'danger' : undefined} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  </li>
)

function Choices({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  return (
    <Sheet label={title} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>
            <bdi>{title}</bdi>
          </h2>
        </div>
        <ul>{children}</ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

/** NameSheet asks for the name of a new group, or of one that is renamed. */
export function NameSheet({ group, picks = [], onClose }: { group?: ContactGroup; picks?: readonly Pick[]; onClose: () => void }) {
  const name = useSignal(group?.name ?? '')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const title = text(group ? 'group.rename' : 'contacts.new-group')
  const save = async () => {
    const said = name.peek().trim()
    const next = nextRow(picks)
    setBusy(true)
    setError(undefined)
    try {
      if (group) await renameGroup(group.id, said)
      else await addGroup(said, [...new Set(picks.map((p) => p.who))], picks[0]?.group)
      announce(text(group ? 'group.renamed' : 'group.made', { group: said }))
      onClose()
      next()
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  return (
    <Sheet label={title} onClose={onClose}>
      <form
        class="block"
        onSubmit={(e) => {
          e.preventDefault()
          if (!busy && name.peek().trim() !== '') void save()
        }}
      >
        <div class="tools">
          <button type="button" onClick={onClose}>
            {text('sheet.cancel')}
          </button>
          <h2>{title}</h2>
          <button type="submit" disabled={busy || name.value.trim() === ''}>
            {text(group ? 'group.save' : 'group.make')}
          </button>
        </div>
        {error !== undefined && (
          <p class="says bad" role="alert">
            {wordsFor(error)}
          </p>
        )}
        <div class="field">
          <label for="group-name">{text('group.name')}</label>
          <input id="group-name" type="text" dir="auto" autofocus maxLength={64} autocomplete="off" value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
        </div>
      </form>
    </Sheet>
  )
}

/** PlaceSheet asks into which group picks are to be moved or copied. `onDone` is told when all of them are there. */
export function PlaceSheet({ picks, copy, onClose, onDone }: { picks: readonly Pick[]; copy: boolean; onClose: () => void; onDone?: () => void }) {
  const [naming, setNaming] = useState(false)
  const from = picks.length === 1 ? picks[0]?.group?.id : undefined
  if (naming) return <NameSheet picks={copy ? picks.map((p) => ({ ...p, group: undefined })) : picks} onClose={onClose} />
  return (
    <Choices title={text(copy ? 'contact.copy' : 'contact.move')} onClose={onClose}>
      {targets(groupsNow(), copy)
        .filter((group) => group.id !== from)
        .map((group) => (
          <Choice
            key={group.id}
            onClick={() => {
              onClose()
              void place(picks, group, copy).then((all) => all && onDone?.())
            }}
          >
            <bdi>{titleOf(group)}</bdi>
          </Choice>
        ))}
      <Choice onClick={() => setNaming(true)}>{text('contacts.new-group')}</Choice>
    </Choices>
  )
}

/** ContactSheet is the menu of one contact. */
export function ContactSheet({ pick, onClose }: { pick: Pick; onClose: () => void }) {
  const [placing, setPlacing] = useState<'move' | 'copy'>()
  const { who, name, group } = pick
  const stands = standingOf(who)
  const then = (work: () => Promise<unknown>, done: string) => () => {
    onClose()
    void attempt(work, done).then(nextRow([pick]))
  }
  if (placing) return <PlaceSheet picks={[pick]} copy={placing === 'copy'} onClose={onClose} />
  return (
    <Choices title={name} onClose={onClose}>
      {stands.favourite ? (
        <Choice onClick={then(() => setFavourite(who, false), text('contact.unstarred', { name }))}>{text('contact.unstar')}</Choice>
      ) : (
        <Choice onClick={then(() => setFavourite(who, true), text('contact.starred', { name }))}>{text('contact.star')}</Choice>
      )}
      <Choice onClick={() => setPlacing('move')}>{text('contact.move')}</Choice>
      <Choice onClick={() => setPlacing('copy')}>{text('contact.copy')}</Choice>
      {group && kindOf(group) === 'own' && (
        <Choice onClick={then(() => setGroups(who, stands.groups.filter((id) => id !== group.id)), text('contact.left', { name, group: titleOf(group) }))}>
          {text('contact.leave', { group: titleOf(group) })}
        </Choice>
      )}
      <Choice
        danger
        onClick={() => {
          onClose()
          void remove([pick])
        }}
      >
        {text('contact.remove')}
      </Choice>
    </Choices>
  )
}

/** ownGroups are the person's own groups, in their order. */
export const ownGroups = () => groupsNow().filter((group) => kindOf(group) === 'own')

/** shift moves a group by one place, if there is one, and says where it is. */
export async function shift(group: ContactGroup, by: 1 | -1): Promise<void> {
  const own = ownGroups()
  const to = own.findIndex((g) => g.id === group.id) + by
  if (to < 0 || to >= own.length) return
  await attempt(() => placeGroup(group.id, to), text('group.placed', { group: titleOf(group), place: to + 1, count: own.length }))
  // A heading that changes its place loses the focus.
  setTimeout(() => document.getElementById(headingId(group))?.focus())
}

/** GroupSheet is the menu of one of the person's own groups. */
export function GroupSheet({ group, onClose }: { group: ContactGroup; onClose: () => void }) {
  const [renaming, setRenaming] = useState(false)
  const own = ownGroups()
  const at = own.findIndex((g) => g.id === group.id)
  const drop = async () => {
    onClose()
    const next = nextGroup(group)
    await attempt(async () => {
      const undo = await deleteGroup(group)
      offerUndo(text('group.deleted', { group: titleOf(group) }), undo, wordsFor)
    })
    next()
  }
  const move = (by: 1 | -1) => () => {
    onClose()
    void shift(group, by)
  }
  if (renaming) return <NameSheet group={group} onClose={onClose} />
  return (
    <Choices title={titleOf(group)} onClose={onClose}>
      <Choice onClick={() => setRenaming(true)}>{text('group.rename')}</Choice>
      <Choice disabled={at <= 0} onClick={move(-1)}>
        {text('group.up')}
      </Choice>
      <Choice disabled={at === own.length - 1} onClick={move(1)}>
        {text('group.down')}
      </Choice>
      <Choice danger onClick={() => void drop()}>
        {text('group.delete')}
      </Choice>
    </Choices>
  )
}
