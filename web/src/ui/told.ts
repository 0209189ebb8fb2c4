// Where what stands on a card comes from, where the card is joined from several sources.
import { contactList, deviceBook, holds, isDeviceId, kindOf, knownPeople, session, type Card, type ContactGroup, type Merged, type RecordKey, type SourceRecord, type Value } from '../core'

/** recordOfCard is what the server says about somebody, numbers and further addresses included. */
export const recordOfCard = (data: Card): SourceRecord => ({
  kind: 'directory',
  id: data.id,
  name: data.display_name,
  addresses: [data.address],
  mails: [data.mail ?? '', ...(data.other_mail ?? [])].filter((mail) => mail !== ''),
  title: data.title ?? '',
  department: data.department ?? '',
  company: data.company ?? '',
  office: data.office ?? '',
  photo: data.photo ?? '',
  phones: (data.phones ?? []).map(({ kind, number, dial }) => ({ kind, number, ...(dial !== undefined && { dial }) })),
})

/** groupsWith are the groups of the contact list that somebody is in; none for who is only suggested. A component that calls it follows the list. */
export function groupsWith(id: string): readonly ContactGroup[] {
  const lists = contactList.value
  return lists.at === 'here' ? lists.value.filter((group) => kindOf(group) !== 'suggested' && holds(group, id)) : []
}

/** contactRecords is somebody's entry in the contact list, which names its source and says nothing else. */
export const contactRecords = (id: string): SourceRecord[] => (groupsWith(id).length > 0 ? [{ kind: 'contacts', id }] : [])

/** joinedCard is a card of the organisation with what the device's contacts say; undefined where there are none of them. A component that calls it follows them. */
export function joinedCard(data: Card): Merged | undefined {
  const book = deviceBook.value
  if (!book || book.size === 0 || session.value?.person.id === data.id) return undefined
  return book.person(recordOfCard(data), knownPeople(), contactRecords(data.id))
}

/** hasDevice tells whether a person is joined from the device's contacts, too. */
export const hasDevice = (merged: Merged | undefined): merged is Merged => merged?.records.some((key) => isDeviceId(key)) ?? false

/** onlyDevice tells whether nobody but the device's contacts says so. */
export const onlyDevice = (value: Value): boolean => value.sources.every((key) => isDeviceId(key))

/** saying are the sources of what the organisation's card says: all that say the same, and the organisation at least. */
export function saying(data: Card, values: readonly Value[], said: string): readonly RecordKey[] {
  const own: RecordKey = `directory:${data.id}`
  const words = said.trim().replace(/\s+/g, ' ')
  return values.find((value) => value.text === words && value.sources.includes(own))?.sources ?? [own]
}
