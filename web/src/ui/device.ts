// The device's own contacts beside the people of the organisation: what a list shows of them.
import { deviceBook, isDeviceId, knownPeople, type DeviceHit, type FoundRow, type Merged, type PersonRow } from '../core'

/** personIn is the id of somebody of the organisation in a joined person; undefined for somebody who is only on this device. */
export const personIn = (merged: Merged): string | undefined => merged.records.find((key) => key.startsWith('directory:'))?.slice('directory:'.length)

/** pictureOf is a device's picture as an address; nothing for somebody in the directory, whose picture is the directory's. */
export const pictureOf = (merged: Merged): string | undefined =>
  personIn(merged) === undefined && merged.photo.text !== '' ? `data:image/jpeg;base64,${merged.photo.text}` : undefined

/** deviceRow is somebody who is only on this device as a row of a list. */
export function deviceRow(merged: Merged, matched?: string): FoundRow {
  const photo = pictureOf(merged)
  return {
    id: merged.records[0] ?? '',
    display_name: merged.name.text,
    address: merged.mails[0]?.text ?? merged.addresses[0]?.text ?? '',
    ...(merged.title.text !== '' && { title: merged.title.text }),
    ...(merged.company.text !== '' && { department: merged.company.text }),
    ...(photo !== undefined && { photo }),
    ...(matched !== undefined && { matched }),
  }
}

/** deviceHits is whom the device's contacts give for what was typed: as somebody of the organisation where the device knows them as one. */
export function deviceHits(query: string, pad: boolean): FoundRow[] {
  const people = knownPeople()
  const rows = new Map(people.map((row) => [row.id, row]))
  return (deviceBook.peek()?.find(query, pad, people) ?? []).flatMap(({ merged, matched }: DeviceHit) => {
    const who = personIn(merged)
    const row = who === undefined ? undefined : rows.get(who)
    if (row) return [{ ...row, ...(matched !== undefined && { matched }) }]
    return who === undefined ? [deviceRow(merged, matched)] : []
  })
}

/** onDevice tells whether somebody is among the device's contacts, too. A component that calls it follows them. */
export const onDevice = (row: PersonRow): boolean => isDeviceId(row.id) || (deviceBook.value?.linked(row, knownPeople()) ?? false)
