// The pages of Settings, one file each. They are loaded when they are opened.
import type { ComponentType } from 'preact'
import { text } from '../../../text/text'
import { later } from '../../later'

export interface SettingsPage { readonly id: string; readonly title: string; readonly Page: ComponentType<object> }

/** settingsPages are in the order in which they are listed. */
export const settingsPages: readonly SettingsPage[] = [
  { id: 'contacts', title: text('settings.contacts'), Page: later(() => import('./ContactsPage').then((m) => m.ContactsPage)) },
  { id: 'sources', title: text('sources.title'), Page: later(() => import('./Sources').then((m) => m.Sources)) },
  { id: 'phones', title: text('settings.phones'), Page: later(() => import('./PhonesPage').then((m) => m.PhonesPage)) },
  { id: 'pictures', title: text('pictures.title'), Page: later(() => import('./PicturesPage').then((m) => m.PicturesPage)) },
]
