// How many cards of a file are people whom this device knows already.
import { identifier } from './identifier'
import type { ParsedCard } from './vcard'
import type { PersonRow } from '../wire'

/** How many of the cards share an address with one of the people. */
export function knownAmong(cards: readonly ParsedCard[], people: readonly PersonRow[]): number {
  const known = new Set(people.flatMap((row) => [row.address, row.mail ?? '', ...(row.other_mail ?? [])]).map(identifier))
  known.delete('')
  return cards.filter((card) => [...(card.mails ?? []), ...(card.addresses ?? [])].some((a) => known.has(identifier(a)))).length
}
