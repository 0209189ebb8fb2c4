// The My Info tab: one's own state and note, and the way to everything else.
import { useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { myPresence, person, session, setNote, setState, settings, signOut, type OwnState, type Presence } from '../../core'
import { lightOf, presenceText, type Light } from '../../text/presence'
import { text, type PlainKey } from '../../text/text'
import { askAdministrator, isAdministrator } from '../admin'
import { announce } from '../announce'
import { wordsFor } from '../parts/Blank'
import { Face } from '../parts/Face'
import { TickIcon } from '../parts/icons'
import { ButtonRow, LinkRow, List } from '../parts/rows'
import { ListScreen } from '../parts/Screen'
import { useWatch } from '../parts/Search'
import { Cancel, Confirm, Sheet } from '../parts/Sheet'
import { href } from '../router'

const choices: readonly { state: OwnState; key: PlainKey; light: Light }[] = [
  { state: 'available', key: 'presence.available', light: 'available' },
  { state: 'busy', key: 'presence.busy', light: 'busy' },
  { state: 'do-not-disturb', key: 'presence.do-not-disturb', light: 'do-not-disturb' },
  { state: 'be-right-back', key: 'presence.be-right-back', light: 'be-right-back' },
  { state: 'off-work', key: 'presence.off-work', light: 'away' },
  { state: 'appear-away', key: 'state.appear-away', light: 'away' },
]

/** chosen tells which state the person set by hand, if any. */
function chosen(presence: Presence | undefined): OwnState | undefined {
  if (presence?.source !== 'manual') return undefined
  if (presence.activity === 'off-work') return 'off-work'
  const light = lightOf(presence)
  return light === 'away' ? 'appear-away' : choices.find((c) => c.light === light)?.state
}

/** useDoing runs one request of a sheet: it closes when that is done, and says what went wrong when not. */
function useDoing(onClose: () => void) {
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const run = async (request: Promise<void>, done: string) => {
    setBusy(true)
    try {
      await request
      announce(done)
      onClose()
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  const failure =
    error === undefined ? null : (
      <p class="says bad" role="alert">
        {wordsFor(error)}
      </p>
    )
  return { run, busy, failure }
}

function StateSheet({ onClose }: { onClose: () => void }) {
  const { run, busy, failure } = useDoing(onClose)
  const now = chosen(myPresence.value)
  const choose = (state: OwnState, name: string) => void run(setState(state), text('state.now', { state: name }))
  return (
    <Sheet label={text('state.title')} onClose={onClose}>
      <div class="block">
        {failure}
        <ul>
          {choices.map(({ state, key, light }) => (
            <li key={state}>
              <button type="button" class="left" disabled={busy} aria-pressed={now === state} onClick={() => choose(state, text(key))}>
                <span class={`dot ${light}`} aria-hidden="true" />
                <span class="grow">{text(key)}</span>
                {now === state && (
                  <span class="tick">
                    <TickIcon />
                  </span>
                )}
              </button>
            </li>
          ))}
          <li>
            <button type="button" class="left" disabled={busy} onClick={() => choose('reset', text('state.automatic'))}>
              {text('state.reset')}
            </button>
          </li>
        </ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

const noteLimit = 500

function NoteSheet({ onClose }: { onClose: () => void }) {
  const { run, busy, failure } = useDoing(onClose)
  const note = useSignal(myPresence.peek()?.note ?? '')
  const length = Array.from(note.value).length
  const save = () => void run(setNote(note.peek().trim()), text('note.saved'))
  return (
    <Sheet label={text('note.title')} onClose={onClose}>
      <form
        class="block"
        onSubmit={(e) => {
          e.preventDefault()
          save()
        }}
      >
        <div class="tools">
          <button type="button" onClick={onClose}>
            {text('sheet.cancel')}
          </button>
          <h2>{text('note.title')}</h2>
          <button type="submit" disabled={busy || length > noteLimit}>
            {text('note.save')}
          </button>
        </div>
        {failure}
        <div class="field">
          <label for="note">{text('note.label')}</label>
          <textarea id="note" dir="auto" autofocus value={note.value} aria-describedby="note-count" onInput={(e) => (note.value = e.currentTarget.value)} />
        </div>
        <p class={length > noteLimit ? 'count bad' : 'count'} id="note-count">
          {text('note.count', { count: length, limit: noteLimit })}
        </p>
        <button type="button" disabled={busy || note.value === ''} onClick={() => (note.value = '')}>
          {text('note.clear')}
        </button>
      </form>
    </Sheet>
  )
}

function SignOutConfirm({ onClose }: { onClose: () => void }) {
  return <Confirm title={text('sign-out.question')} explanation={text('sign-out.hint')} action={text('sign-out')} onConfirm={signOut} onClose={onClose} />
}

/** MyInfo is the fourth tab. `current` is the part of it that is open beside it. */
export function MyInfo({ current }: { current: string | undefined }) {
  const sheet = useSignal<'none' | 'state' | 'note' | 'sign-out'>('none')
  const close = () => (sheet.value = 'none')
  const own = session.value?.person
  const row = own && (person(own.id).value ?? own)
  const state = myPresence.value
  const phones = settings.value?.phones ?? []
  useWatch('info', own ? [own.id] : [])
  useEffect(() => {
    askAdministrator()
    return close
  }, [])
  return (
    <ListScreen title={text('tab.info')}>
      <List kind="group" label={text('info.me')}>
        <LinkRow to={href('contacts', own?.id ?? '')} title={<Names name={row?.display_name ?? ''} address={session.value?.address ?? ''} />}>
          <Face row={row} presence={state} />
        </LinkRow>
      </List>
      <List kind="group" label={text('info.presence')}>
        <ButtonRow opens title={text('state.title')} value={presenceText(state)} onClick={() => (sheet.value = 'state')} />
        <ButtonRow opens title={text('note.title')} value={<NoteLine note={state?.note} />} onClick={() => (sheet.value = 'note')} />
      </List>
      {phones.length > 0 && (
        <List kind="group" label={text('info.phones')}>
          <LinkRow to={href('info', 'settings', 'phones')} title={text('info.phones')} value={<bdi>{phones.map((p) => p.shown).join(', ')}</bdi>} />
        </List>
      )}
      <List kind="group" label={text('info.more')}>
        <LinkRow to={href('info', 'settings')} title={text('settings.title')} />
        <LinkRow to={href('info', 'options')} current={current === 'options'} title={text('options.title')} />
        <LinkRow to={href('info', 'privacy')} current={current === 'privacy'} title={text('privacy.title')} />
      </List>
      {isAdministrator.value && (
        <List kind="group" label={text('info.admin')}>
          <LinkRow to={href('admin', 'directory')} current={current === 'admin'} title={text('admin.directory')} value={text('admin.title')} />
        </List>
      )}
      <List kind="group" label={text('sign-out')}>
        <ButtonRow tone="danger" title={text('sign-out')} onClick={() => (sheet.value = 'sign-out')} />
      </List>
      {sheet.value === 'state' && <StateSheet onClose={close} />}
      {sheet.value === 'note' && <NoteSheet onClose={close} />}
      {sheet.value === 'sign-out' && <SignOutConfirm onClose={close} />}
    </ListScreen>
  )
}

const Names = ({ name, address }: { name: string; address: string }) => (
  <>
    <bdi class="name">{name}</bdi>
    <small>{address}</small>
  </>
)

const NoteLine = ({ note }: { note: string | undefined }) =>
  note === undefined || note === '' ? (
    <>{text('note.none')}</>
  ) : (
    <bdi class="line">{note}</bdi>
  )
