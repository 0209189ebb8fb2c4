// Contacts and groups: taking the list out of Parley, and bringing one in.
import { useState } from 'preact/hooks'
import { exportUrl, importList, type ContactsImported } from '../../../core'
import { text } from '../../../text/later'
import { wordsFor } from '../../parts/Blank'
import { LinkRow, List } from '../../parts/rows'
import { DetailScreen } from '../../parts/Screen'
import { atDesk } from '../../people'
import { ReadOnly } from './ReadOnly'
import { toSettings } from './parent'

/** The largest file that the server takes. */
const largest = 2_000_000

/** Done says what an import did; addresses that nobody here has are listed, so that nothing is lost silently. */
function Done({ done }: { done: ContactsImported }) {
  const { added, known, groups, unknown } = done
  return (
    <div class="says" role="status">
      <p>{text('settings.imported', { added, known, groups })}</p>
      {unknown.length > 0 && (
        <>
          <p>{text('settings.imported-unknown', { count: unknown.length })}</p>
          <ul class="addresses">
            {unknown.map((address) => (
              <li key={address}>
                <bdi>{address}</bdi>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

function Import() {
  const [busy, setBusy] = useState(false)
  const [done, setDone] = useState<ContactsImported>()
  const [trouble, setTrouble] = useState<string>()
  const take = async (file: File) => {
    setDone(undefined)
    setTrouble(undefined)
    if (file.size > largest) return setTrouble(text('settings.import-large', { limit: largest / 1_000_000 }))
    setBusy(true)
    try {
      setDone(await importList(await file.text()))
    } catch (error) {
      setTrouble(wordsFor(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <h2 class="head">{text('settings.import')}</h2>
      <div class="group">
        <label class="row action file">
          <span class="main">{text(busy ? 'settings.importing' : 'settings.import-file')}</span>
          <input
            type="file"
            accept=".json,.vcf,application/json,text/vcard"
            disabled={busy}
            onChange={(e) => {
              const [file] = e.currentTarget.files ?? []
              e.currentTarget.value = ''
              if (file) void take(file)
            }}
          />
        </label>
      </div>
      <p class="foot">{text('settings.import-hint')}</p>
      {trouble !== undefined && (
        <p class="says bad" role="alert">
          {trouble}
        </p>
      )}
      {done && <Done done={done} />}
    </>
  )
}

/** ContactsPage is the page of Settings. */
export function ContactsPage() {
  return (
    <DetailScreen title={text('settings.contacts')} parent={toSettings}>
      <h2 class="head">{text('settings.export')}</h2>
      <List kind="group" label={text('settings.export')}>
        <LinkRow leaf download to={exportUrl('json')} title={text('settings.export-json')} />
        <LinkRow leaf download to={exportUrl('vcard')} title={text('settings.export-vcard')} />
      </List>
      <p class="foot">{text('settings.export-hint')}</p>
      {atDesk() ? <Import /> : <ReadOnly />}
    </DetailScreen>
  )
}
