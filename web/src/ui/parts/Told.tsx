// The mark that says where a value of a card comes from.
import { deviceBook, type RecordKey } from '../../core'
import { text } from '../../text/later'
import { titleOf } from '../screens/Contacts'
import { groupsWith, onlyDevice } from '../told'
import { DeviceIcon } from './icons'

/** HouseIcon stands for the organisation. */
const HouseIcon = () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d="M5 20.5v-17h9v17M14 9h5v11.5M3 20.5h18M8 7.5h3M8 11.5h3M8 15.5h3" />
  </svg>
)

function nameOf(key: RecordKey): string {
  if (key.startsWith('directory:')) return text('sources.organisation')
  const source = deviceBook.value?.card(key)?.source
  if (!source) return text(key.startsWith('contacts:') ? 'sources.contacts' : 'sources.this-device')
  return source.kind === 'device' ? text('sources.device-named', { name: source.name }) : text('sources.book-named', { name: source.name })
}

/** sourceNames are the names of sources, each once. A component that calls it follows them. */
export const sourceNames = (keys: readonly RecordKey[]): string => [...new Set(keys.map(nameOf))].join(', ')

/** Told names the sources of a value, small. `of` says of what, where the value does not stand right before it. */
export function Told({ sources, of }: { sources: readonly RecordKey[]; of?: string }) {
  if (sources.length === 0) return null
  return (
    <small class="told">
      {onlyDevice({ text: '', sources }) ? <DeviceIcon /> : <HouseIcon />}
      <span>
        {of === undefined ? <span class="unseen">{text('sources.from')} </span> : `${of}: `}
        <bdi>{sourceNames(sources)}</bdi>
      </span>
    </small>
  )
}

/** InContacts names the contact list as a source of a person, with the groups that hold them. */
export function InContacts({ who }: { who: string }) {
  const groups = groupsWith(who)
  if (groups.length === 0) return null
  return <p class="foot">{text('sources.in-contacts', { groups: groups.map(titleOf).join(', ') })}</p>
}
