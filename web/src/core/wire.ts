// Which of the generated wire types the core and the screens work with.
export type {
  About,
  Card,
  Device,
  Entry,
  Group as ContactGroup,
  PersonRow,
  Phone,
  Presence,
  Problem,
  ServerEvent,
  ClientFrame,
  Synced,
  Marks,
  Session as WireSession,
} from '../api.gen'
