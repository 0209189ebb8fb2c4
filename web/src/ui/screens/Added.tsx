// Who has added me, and what I want to do about it: add them back with a level, block them, or nothing. It works on phones too.
import { useState } from 'preact/hooks'
import { addContacts, addedMe, dismissAdded, person, setRelationship, standingOf, type Added as Notice, type Level } from '../../core'
import { text } from '../../text/later'
import { announce, complain } from '../announce'
import { moment } from '../format'
import { now } from '../now'
import { Blank, wordsFor } from '../parts/Blank'
import { Face } from '../parts/Face'
import { ConfirmBlock, LevelSheet } from '../parts/Levels'
import { stateOf } from '../parts/PersonRow'
import { DetailScreen } from '../parts/Screen'
import { useWatch } from '../parts/Search'
import { href } from '../router'

function NoticeRow({ notice }: { notice: Notice }) {
  const [asking, setAsking] = useState<'level' | 'block'>()
  const [busy, setBusy] = useState(false)
  const row = person(notice.person).value
  const name = row?.display_name ?? text('person.unknown')
  const close = () => setAsking(undefined)
  const addBack = async (level: Level) => {
    close()
    setBusy(true)
    try {
      if (level === 'blocked') await setRelationship(notice.person, level)
      else await addContacts([notice.person], level)
      dismissAdded(notice.person)
      announce(text(level === 'blocked' ? 'added.blocked' : 'contacts.added', { name }))
    } catch (error) {
      complain(wordsFor(error))
      setBusy(false)
    }
  }
  const block = async () => {
    await setRelationship(notice.person, 'blocked')
    dismissAdded(notice.person)
    announce(text('added.blocked', { name }))
  }
  return (
    <li>
      <a class="row" href={href('contacts', notice.person)}>
        <Face row={row} presence={stateOf(notice.person)} spoken />
        <span class="main">
          <bdi class="name">{text('added.one', { name })}</bdi>
          <small class="line">{moment(notice.at, now.value)}</small>
        </span>
      </a>
      <div class="answers" role="group" aria-label={name}>
        {!standingOf(notice.person).contact && (
          <button type="button" class="strong" aria-haspopup="dialog" disabled={busy} onClick={() => setAsking('level')}>
            {text('added.back')}
          </button>
        )}
        <button type="button" class="bad" aria-haspopup="dialog" disabled={busy} onClick={() => setAsking('block')}>
          {text('added.block')}
        </button>
        <button type="button" disabled={busy} onClick={() => dismissAdded(notice.person)}>
          {text('added.dismiss')}
        </button>
      </div>
      {asking === 'level' && <LevelSheet name={name} onChoose={(level) => void addBack(level)} onClose={close} />}
      {asking === 'block' && <ConfirmBlock name={name} onConfirm={block} onClose={close} />}
    </li>
  )
}

/** Added lists who has added me. */
export function Added() {
  const notices = addedMe.value
  useWatch('added', notices.map((n) => n.person))
  return (
    <DetailScreen title={text('added.title')} parent={{ to: href('contacts'), label: text('tab.contacts'), top: true }}>
      <div class="gap" />
      {notices.length === 0 ? (
        <Blank title={text('added.none')}>
          <p>{text('added.none-hint')}</p>
        </Blank>
      ) : (
        <ul class="group" aria-label={text('added.title')}>
          {notices.map((notice) => (
            <NoticeRow key={notice.key} notice={notice} />
          ))}
        </ul>
      )}
    </DetailScreen>
  )
}
