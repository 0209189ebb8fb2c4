// The app of a signed-in person: banners, list, detail, tabs.
import type { ComponentChildren } from 'preact'
import { unread } from '../core'
import { text, type PlainKey } from '../text/text'
import { Banners } from './Banners'
import { Blank } from './parts/Blank'
import { ChatsIcon, ContactsIcon, InfoIcon, PhoneIcon } from './parts/icons'
import { href, route, type Route, type Tab } from './router'
import { Card } from './screens/Card'
import { Chats } from './screens/Chats'
import { Contacts } from './screens/Contacts'
import { Conversation } from './screens/Conversation'
import { MyInfo } from './screens/MyInfo'
import { NewMessage } from './screens/NewMessage'
import { Options } from './screens/Options'
import { Phone } from './screens/Phone'
import { Privacy } from './screens/Privacy'

const tabs: readonly { id: Tab; title: PlainKey; Icon: () => ComponentChildren }[] = [
  { id: 'contacts', title: 'tab.contacts', Icon: ContactsIcon },
  { id: 'chats', title: 'tab.chats', Icon: ChatsIcon },
  { id: 'phone', title: 'tab.phone', Icon: PhoneIcon },
  { id: 'info', title: 'tab.info', Icon: InfoIcon },
]

const hints: Readonly<Record<Tab, PlainKey | undefined>> = { contacts: 'nothing.contacts', chats: 'nothing.chats', phone: undefined, info: 'nothing.info' }

/** tabOf is the tab that a route belongs to; the privacy page of a signed-in person is part of My Info. */
export function tabOf({ section }: Route): Tab {
  if (section === 'privacy') return 'info'
  return section === 'forgotten' || section === 'invitation' ? 'contacts' : section
}

function listOf(tab: Tab, current: string | undefined) {
  switch (tab) {
    case 'contacts':
      return <Contacts current={current} />
    case 'chats':
      return <Chats current={current} />
    case 'phone':
      return <Phone />
    case 'info':
      return <MyInfo current={current} />
  }
}

/** detailOf is what stands beside the list, or over it on a phone. */
function detailOf({ section, rest: [id, page] }: Route) {
  if (section === 'privacy') return <Privacy />
  if (id === undefined) return undefined
  switch (section) {
    case 'contacts':
      return <Card key={id} who={id} />
    case 'chats':
      return id === 'new' ? <NewMessage /> : <Conversation key={id} conversation={id} />
    case 'info':
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
        {listOf(tab, here.section === 'privacy' ? 'privacy' : here.rest[0])}
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
