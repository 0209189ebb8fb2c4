// Pictures: whether others' are shown here, and one's own is shown to others.
import { useState } from 'preact/hooks'
import { setPictures, settings } from '../../../core'
import { text, type PlainKey } from '../../../text/later'
import { announce, complain } from '../../announce'
import { wordsFor } from '../../parts/Blank'
import { List } from '../../parts/rows'
import { DetailScreen } from '../../parts/Screen'
import { atDesk } from '../../people'
import { picturesAreRead, ReadOnly } from './ReadOnly'
import { toSettings } from './parent'

const switches: readonly { id: 'show' | 'share'; label: PlainKey }[] = [
  { id: 'show', label: 'settings.pictures-show' },
  { id: 'share', label: 'settings.pictures-share' },
]

function Switch({ id, label }: { id: 'show' | 'share'; label: PlainKey }) {
  const [busy, setBusy] = useState(false)
  const on = settings.value?.pictures[id] ?? false
  const turn = async () => {
    setBusy(true)
    try {
      await setPictures({ [id]: !on })
      announce(text('settings.saved'))
    } catch (error) {
      complain(wordsFor(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <li>
      <label class="row">
        <span class="main">{text(label)}</span>
        {atDesk() ? (
          <input class="switch" type="checkbox" role="switch" checked={on} disabled={busy || settings.value?.pictures.allowed === false} onChange={() => void turn()} />
        ) : (
          <span class="value">{text(settings.value === undefined ? 'settings.unknown' : on ? 'settings.pictures-on' : 'settings.pictures-not')}</span>
        )}
      </label>
    </li>
  )
}

/** PictureSettings are the two preferences, with what goes with them; also a page of Options on a phone. */
export function PictureSettings() {
  return (
    <>
      <div class="gap" />
      <List kind="group" label={text('pictures.title')}>
        {switches.map((s) => (
          <Switch key={s.id} {...s} />
        ))}
      </List>
      <p class="foot">{text('pictures.source')}</p>
      {settings.value?.pictures.allowed === false && <p class="says">{text('settings.pictures-off')}</p>}
      <ReadOnly />
    </>
  )
}

/** PicturesPage is the page of Settings. */
export function PicturesPage() {
  return (
    <DetailScreen title={text('pictures.title')} parent={toSettings} reading={picturesAreRead()}>
      <PictureSettings />
    </DetailScreen>
  )
}
