// Which of the generated wire types the core and the screens work with.
import type { Card as PlainCard } from '../api.gen'
import type { Phone } from './next'
export type { ContactGroup, DirectoryGroup, DirectoryGroupRow, DirectoryState, FoundRow, Phone, Settings } from './next'
export type Card = Omit<PlainCard, 'phones'> & { readonly phones?: readonly Phone[] | undefined }
export type {
  About,
  ContactsImported,
  Device,
  Entry,
  PersonRow,
  Presence,
  Problem,
  ClientFrame,
  ServerEvent,
  Synced,
  Marks,
  Session as WireSession,
} from '../api.gen'
