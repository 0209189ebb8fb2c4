// The window's title: where one is, and how much is unread.
import { text, type PlainKey } from '../text/text'
import { isTab, type Route, type Section } from './router'

const titles: Readonly<Record<Section, PlainKey>> = {
  contacts: 'tab.contacts',
  chats: 'tab.chats',
  phone: 'tab.phone',
  info: 'tab.info',
  privacy: 'privacy.title',
  forgotten: 'forgotten.title',
  invitation: 'invitation.title',
  admin: 'admin.title',
}

/** windowTitle names the place and counts what is unread. Without a session every tab is the sign-in screen. */
export function windowTitle(at: Route, signedIn: boolean, count: number): string {
  const key = !signedIn && isTab(at.section) ? 'sign-in.title' : titles[at.section]
  const title = text('app.window-title', { place: text(key) })
  return count > 0 && signedIn ? text('app.window-title-unread', { count, title }) : title
}
