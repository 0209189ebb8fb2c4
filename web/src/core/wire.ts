// The wire types of docs/protocol.md that the core works with. Once generated,
// they come from ../api.gen; this file is the one place that says which.

/** A person's state as this viewer may see it; a field that is withheld is not there. */
export interface Presence {
  availability: number
  activity?: string
  since?: string
  until?: string
  source?: string
  note?: string
  note_until?: string
  out_of_office?: string
  device?: string
  time_zone?: string
  last_active?: string
}

/** A person in a list. `photo` is the picture's version; without it there is none. */
export interface PersonRow {
  id: string
  display_name: string
  address: string
  title?: string
  department?: string
  photo?: string
  presence?: Presence
}

/** One phone number of a card; `dial` is what a tel: link takes. */
export interface Phone {
  kind: string
  number: string
  dial?: string
}

/** Everything that this viewer may know of a person. */
export interface Card extends PersonRow {
  mail?: string
  other_mail?: string[]
  alias?: string
  company?: string
  office?: string
  phones?: Phone[]
  manager?: PersonRow
  reports?: PersonRow[]
  relationship?: string
}

/** One group of the Contacts tab; `key` is a text key, `name` the person's own name for it. */
export interface ContactGroup {
  id: string
  key: string
  name?: string
  people: PersonRow[]
}

/** What the server tells anyone about itself. */
export interface About {
  organisation: string
  operator?: string
  domains?: string[]
  build: string
  secure?: boolean
  features?: string[]
}
