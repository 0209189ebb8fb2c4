// Which of the generated wire types the core and the screens work with.
export type { ContactGroup } from './next'
export type {
  About,
  Card,
  ContactsImported,
  Device,
  DirectoryGroup,
  DirectoryGroupRow,
  DirectoryState,
  Entry,
  FoundPerson as FoundRow,
  PersonRow,
  Phone,
  Presence,
  Problem,
  Settings,
  ClientFrame,
  ServerEvent,
  Synced,
  Marks,
  Session as WireSession,
} from '../api.gen'
