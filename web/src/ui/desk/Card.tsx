// What a desk can do with the person of a card: contact, favourite, groups, relationship.
import { useState } from 'preact/hooks'
import { addContacts, setFavourite, setGroups, setRelationship, standingOf, type Card, type Level } from '../../core'
import { text, wireText } from '../../text/later'
import { LevelSheet } from '../parts/Levels'
import { ButtonRow, List } from '../parts/rows'
import { Sheet } from '../parts/Sheet'
import { titleOf } from '../screens/Contacts'
import { attempt, remove } from './picks'
import { NameSheet, ownGroups } from './sheets'

/** GroupsSheet ticks the groups that somebody is in. */
export function GroupsSheet({ who, name, onClose }: { who: string; name: string; onClose: () => void }) {
  const [naming, setNaming] = useState(false)
  const { groups } = standingOf(who)
  const toggle = (id: string) => {
    const next = groups.includes(id) ? groups.filter((g) => g !== id) : [...groups, id]
    void attempt(() => setGroups(who, next))
  }
  if (naming) return <NameSheet picks={[{ who, name, group: undefined }]} onClose={onClose} />
  return (
    <Sheet label={text('contact.groups')} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{text('contact.groups')}</h2>
        </div>
        <ul>
          {ownGroups().map((group) => (
            <li key={group.id}>
              <label class="choice">
                <input class="pick" type="checkbox" checked={groups.includes(group.id)} onChange={() => toggle(group.id)} />
                <bdi>{titleOf(group)}</bdi>
              </label>
            </li>
          ))}
          <li>
            <button type="button" onClick={() => setNaming(true)}>
              {text('contacts.new-group')}
            </button>
          </li>
        </ul>
      </div>
      <div class="block">
        <button type="button" class="cancel" onClick={onClose}>
          {text('contacts.done')}
        </button>
      </div>
    </Sheet>
  )
}

/** ContactRows are the rows about somebody's place in the contact list; a person's or a directory group's. */
export function ContactRows({ who, name }: { who: string; name: string }) {
  const [open, setOpen] = useState(false)
  const { contact, favourite, groups } = standingOf(who)
  if (!contact) {
    return <ButtonRow tone="action" title={text('contact.add')} onClick={() => void attempt(() => addContacts([who]), text('contacts.added', { name }))} />
  }
  const names = ownGroups().filter((g) => groups.includes(g.id)).map(titleOf)
  return (
    <>
      <ButtonRow
        tone="action"
        title={text(favourite ? 'contact.unstar' : 'contact.star')}
        onClick={() => void attempt(() => setFavourite(who, !favourite), text(favourite ? 'contact.unstarred' : 'contact.starred', { name }))}
      />
      <ButtonRow opens title={text('contact.groups')} value={<bdi>{names.join(', ')}</bdi>} onClick={() => setOpen(true)} />
      <ButtonRow tone="danger" title={text('contact.remove')} onClick={() => void remove([{ who, name, group: undefined }])} />
      {open && <GroupsSheet who={who} name={name} onClose={() => setOpen(false)} />}
    </>
  )
}

/** DeskCard is the part of a card that changes something. */
export function DeskCard({ data, onChanged }: { data: Card; onChanged: () => void }) {
  const [choosing, setChoosing] = useState(false)
  const { id, display_name: name, relationship } = data
  const choose = async (level: Level) => {
    setChoosing(false)
    const words = wireText('relationship', level) ?? text('level.default')
    if (await attempt(() => setRelationship(id, level), text('level.saved', { name, level: words }))) onChanged()
  }
  return (
    <>
      <List kind="group" label={text('card.manage')}>
        <ContactRows who={id} name={name} />
      </List>
      <List kind="group" label={text('card.relationship')}>
        <ButtonRow opens title={text('card.relationship')} value={wireText('relationship', relationship) ?? ''} onClick={() => setChoosing(true)} />
      </List>
      {relationship !== undefined && <p class="foot">{wireText('level', relationship)}</p>}
      {choosing && <LevelSheet name={name} now={relationship} back onChoose={(level) => void choose(level)} onClose={() => setChoosing(false)} />}
    </>
  )
}
