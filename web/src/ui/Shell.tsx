// The app of a signed-in person: banners, list, detail, tabs.
import type { ComponentChildren } from 'preact'
import { addedMe, isDeviceId, unread } from '../core'
import { text, type PlainKey } from '../text/text'
import { Banners } from './Banners'
import { later } from './later'
import { Blank } from './parts/Blank'
import { ChatsIcon, ContactsIcon, InfoIcon, PhoneIcon } from './parts/icons'
import { href, route, type Route, type Tab } from './router'
import { Chats } from './screens/Chats'
import { Contacts } from './screens/Contacts'

const Conversation = later<{ conversation: string }>(() => import('./screens/Conversation').then((m) => m.Conversation))
const Card = later<{ who: string }>(() => import('./screens/Card').then((m) => m.Card))
const DeviceCard = later<{ id: string }>(() => import('./screens/DeviceCard').then((m) => m.DeviceCard))
const NewMessage = later(() => import('./screens/NewMessage').then((m) => m.NewMessage))
const Phone = later(() => import('./screens/Phone').then((m) => m.Phone))
const MyInfo = later<{ current: string | undefined }>(() => import('./screens/MyInfo').then((m) => m.MyInfo))
const SettingsList = later<{ current: string | undefined }>(() => import('./screens/settings/Settings').then((m) => m.SettingsList))
const SettingsDetail = later<{ page: string }>(() => import('./screens/settings/Settings').then((m) => m.SettingsDetail))
const Added = later(() => import('./screens/Added').then((m) => m.Added))
const Group = later<{ id: string }>(() => import('./screens/Group').then((m) => m.Group))
const Everybody = later<{ group: string }>(() => import('./screens/Everybody').then((m) => m.Everybody))
const Options = later<{ page: string | undefined }>(() => import('./screens/Options').then((m) => m.Options))
const Privacy = later(() => import('./screens/Privacy').then((m) => m.Privacy))
const AdminDirectory = later(() => import('./screens/admin/Directory').then((m) => m.Directory))

const tabs: readonly { id: Tab; title: PlainKey; Icon: () => ComponentChildren }[] = [
  { id: 'contacts', title: 'tab.contacts', Icon: ContactsIcon },
  { id: 'chats', title: 'tab.chats', Icon: ChatsIcon },
  { id: 'phone', title: 'tab.phone', Icon: PhoneIcon },
  { id: 'info', title: 'tab.info', Icon: InfoIcon },
]

const hints: Readonly<Record<Tab, PlainKey | undefined>> = { contacts: 'nothing.contacts', chats: 'nothing.chats', phone: undefined, info: 'nothing.info' }

/** tabOf is the tab that a route belongs to; the privacy page of a signed-in person and the administrator's pages are part of My Info. */
export function tabOf({ section }: Route): Tab {
  if (section === 'privacy' || section === 'admin') return 'info'
  return section === 'forgotten' || section === 'invitation' ? 'contacts' : section
}

function listOf(tab: Tab, current: string | undefined, page: string | undefined) {
  switch (tab) {
    case 'contacts':
      return <Contacts current={current} />
    case 'chats':
      return <Chats current={current} />
    case 'phone':
      return <Phone />
    case 'info':
      return current === 'settings' ? <SettingsList current={page} /> : <MyInfo current={current} />
  }
}

/** detailOf is what stands beside the list, or over it on a phone. */
function detailOf({ section, rest: [id, page] }: Route) {
  if (section === 'privacy') return <Privacy />
  if (id === undefined) return undefined
  switch (section) {
    case 'contacts':
      if (id === 'added') return <Added />
      if (isDeviceId(id)) return <DeviceCard key={id} id={id} />
      return /^dg\d+$/.test(id) ? <Group key={id} id={id} /> : <Card key={id} who={id} />
    case 'chats':
      if (id === 'new') return page === undefined ? <NewMessage /> : <Everybody key={page} group={page} />
      return <Conversation key={id} conversation={id} />
    case 'admin':
      return <AdminDirectory />
    case 'info':
      if (id === 'settings') return page === undefined ? undefined : <SettingsDetail page={page} />
      return id === 'privacy' ? <Privacy /> : <Options page={page} />
    default:
      return undefined
  }
}

function Tabs({ current }: { current: Tab }) {
  return (
    <nav class="tabs" aria-label={text('nav.tabs')}>
      {tabs.map(({ id, title, Icon }) => (
        <a key={id} href={href(id)} aria-current={current === id ? 'page' : undefined}>
          <Icon />
          <span>{text(title)}</span>
          {id === 'contacts' && addedMe.value.length > 0 && (
            <span class="badge" role="img" aria-label={text('added.badge', { count: addedMe.value.length })}>
              {addedMe.value.length}
            </span>
          )}
          {id === 'chats' && unread.value > 0 && (
            <span class="badge" role="img" aria-label={text('chats.unread', { count: unread.value })}>
              {unread.value > 99 ? '99+' : unread.value}
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}

/** Shell lays out the app. On a phone the style hides the list while a detail is open; its place and scroll are kept. */
export function Shell() {
  const here = route.value
  const tab = tabOf(here)
  const detail = detailOf(here)
  const hint = hints[tab]
  return (
    <div class="app">
      <Banners />
      <div class="pane list titled" role={detail ? 'region' : 'main'} aria-label={text(tabs.find(({ id }) => id === tab)?.title ?? 'tab.contacts')}>
        {listOf(tab, tab === here.section ? here.rest[0] : here.section, here.rest[1])}
      </div>
      {detail ? (
        <main class={tab === 'chats' && here.rest[0] !== 'new' ? 'pane detail talk' : 'pane detail'}>{detail}</main>
      ) : (
        <aside class="pane beside" aria-label={text('nav.beside')}>
          {hint && <Blank>{text(hint)}</Blank>}
        </aside>
      )}
      <Tabs current={tab} />
    </div>
  )
}
