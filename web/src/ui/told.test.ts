import { describe, expect, it } from 'vitest'
import type { Card } from '../core'
import { merge } from '../core/sources/merge'
import { hasDevice, onlyDevice, recordOfCard, saying } from './told'

const data = {
  id: 'p1', display_name: 'Kwame  Mensah', address: 'kwame@example.org', mail: 'kwame@example.org', title: 'Buyer', office: 'Bern',
  phones: [{ kind: 'work', number: '044 668 00 04', dial: '+41446680004', shown: '044 668 00 04' }],
} as Card
const phone = { kind: 'device', id: 'a', name: 'kwame mensah', mails: ['KWAME@example.org', 'kw@home.example'], title: 'Uncle', phones: [{ kind: 'work', number: '+41 44 668 00 04' }] } as const
const book = { kind: 'address-book', id: 'b/1', name: 'Kwame Mensah', mails: ['kwame@example.org'], office: 'Bern' } as const
const joined = merge([recordOfCard(data), { kind: 'contacts', id: 'p1' }, phone, book], { apart: [], together: [] })[0]

describe('what stands on a card', () => {
  if (!joined) throw new Error('nobody')
  it.each([
    ['name', [joined.name], data.display_name, ['directory:p1', 'device:a', 'address-book:b/1']],
    ['title', [joined.title], 'Buyer', ['directory:p1']],
    ['office', [joined.office], 'Bern', ['directory:p1', 'address-book:b/1']],
    ['mail', joined.mails, 'kwame@example.org', ['directory:p1', 'device:a', 'address-book:b/1']],
    ['number', joined.phones, '044 668 00 04', ['directory:p1', 'device:a']],
    ['what the joined card does not have', [joined.company], 'Example', ['directory:p1']],
    ['what only the device says', joined.mails, 'kw@home.example', ['directory:p1']],
  ])('names every source of the %s', (_, values, said, want) => expect(saying(data, values, said)).toEqual(want))

  it('is joined, and knows what is of the device alone', () => {
    expect([hasDevice(joined), hasDevice(undefined)]).toEqual([true, false])
    expect(joined.mails.filter(onlyDevice).map((m) => m.text)).toEqual(['kw@home.example'])
    expect(joined.records).toContain('contacts:p1')
  })
})
