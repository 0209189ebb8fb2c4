// Options: the list, and the pages behind it.
import { about, session, storage } from '../../core'
import { text } from '../../text/later'
import { full } from '../format'
import { later } from '../later'
import { Fact, LinkRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { href } from '../router'
import { ChangePassword } from './ChangePassword'
import { Devices } from './Devices'
import { picturesAreRead } from './settings/ReadOnly'

const toOptions = { to: href('info', 'options'), label: text('options.title'), top: false }

/** deviceZone is the time zone of this device's operating system. */
const deviceZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

/** kept says in plain words whether the browser may clear the history by itself. */
function kept(): string {
  const { persisted } = storage.value
  if (persisted === undefined) return text('device.storage-unknown')
  return text(persisted ? 'device.storage-kept' : 'device.storage-best-effort')
}

function ThisDevice() {
  const own = session.value
  return (
    <DetailScreen title={text('device.title')} parent={toOptions}>
      <h2 class="head">{text('device.title')}</h2>
      <List kind="group">
        <Fact name={text('device.class')}>{text(own?.device_class === 'mobile' ? 'device.mobile' : 'device.desktop')}</Fact>
        <Fact name={text('device.signed-in-as')}>
          <bdi>{own?.address}</bdi>
        </Fact>
        <Fact name={text('device.since')}>{own ? full(own.auth_time) : ''}</Fact>
        <Fact name={text('device.zone')}>
          {deviceZone().replaceAll('_', ' ')}
        </Fact>
        <Fact name={text('device.storage')}>{kept()}</Fact>
      </List>
      <p class="foot">{text('device.class-hint')}</p>
    </DetailScreen>
  )
}

const PictureSettings = later(() => import('./settings/PicturesPage').then((m) => m.PictureSettings))

function Pictures() {
  return (
    <DetailScreen title={text('pictures.title')} parent={toOptions} reading={picturesAreRead()}>
      <PictureSettings />
    </DetailScreen>
  )
}

function About() {
  const said = about.value
  return (
    <DetailScreen title={text('about.title')} parent={toOptions}>
      <h2 class="head">{text('about.title')}</h2>
      <List kind="group">
        <Fact name={text('about.organisation')}>{said?.name ?? text('about.unknown')}</Fact>
        {said?.operator !== undefined && <Fact name={text('about.operator')}>{said.operator.name}</Fact>}
        <Fact name={text('about.server')}>{location.host}</Fact>
        <Fact name={text('about.version')}>{said?.build ?? text('about.unknown')}</Fact>
        <Fact name={text('about.licence')}>{text('about.apache')}</Fact>
      </List>
    </DetailScreen>
  )
}

const pages = [
  { id: 'device', title: text('device.title'), page: ThisDevice },
  { id: 'devices', title: text('devices.title'), page: () => <Devices parent={toOptions} /> },
  { id: 'password', title: text('password.title'), page: () => <ChangePassword parent={toOptions} /> },
  { id: 'pictures', title: text('pictures.title'), page: Pictures },
  { id: 'about', title: text('about.title'), page: About },
] as const

/** Options shows the page of Options that is open, else the list of them. */
export function Options({ page }: { page: string | undefined }) {
  const open = pages.find(({ id }) => id === page)
  if (open) return <open.page />
  return (
    <DetailScreen title={text('options.title')} parent={{ to: href('info'), label: text('tab.info'), top: true }}>
      <div class="gap" />
      <List kind="group" label={text('options.title')}>
        {pages.map(({ id, title }) => (
          <LinkRow key={id} to={href('info', 'options', id)} title={title} />
        ))}
      </List>
    </DetailScreen>
  )
}
