// Finds people among those the device already knows, while the server is still looking, and puts what was found in order.
import type { FoundRow, PersonRow } from '../core'

/** fold makes text comparable: without case, accents and the letters that do not decompose. */
export function fold(s: string): string {
  const plain = s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.replace(/[ßøæœłđ]/g, (c) => ({ ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd' })[c] ?? c)
}

const words = (name: string) => fold(name).split(/[\s,.\-()’']+/).filter((w) => w !== '')

/** matches tells whether every word of the query begins a word of the name, or the address. The words may come in any order. */
export function matches(row: PersonRow, query: string): boolean {
  const wanted = fold(query).split(/[\s,]+/).filter((w) => w !== '')
  const has = [...words(row.display_name), fold(row.display_name), fold(row.address)]
  return wanted.length > 0 && wanted.every((w) => has.some((h) => h.startsWith(w)))
}

const letters = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz']

function keyOf(c: string): string {
  const key = letters.findIndex((l) => l.includes(c)) + 2
  return /[0-9]/.test(c) ? c : key < 2 ? '' : String(key)
}

/** digitsOf writes a word with the keys of a dial pad (ITU-T E.161); letters that no key has are left out. */
export const digitsOf = (word: string): string => Array.from(fold(word), keyOf).join('')

/** onPad tells whether digits typed on a dial pad begin a word of the name, or the name from there on. */
export function onPad(row: PersonRow, typed: string): boolean {
  if (!/^[2-9]{2,}$/.test(typed)) return false
  const names = words(row.display_name).map(digitsOf)
  return names.some((_, i) => names.slice(i).join('').startsWith(typed))
}

/** merged puts the server's answer first and adds what only the device found; one entry a person. */
export function merged(server: readonly FoundRow[], local: readonly FoundRow[]): FoundRow[] {
  const known = new Set(server.map((row) => row.id))
  return [...server, ...local.filter((row) => !known.has(row.id))]
}

/**
 * withPartners adds whom one talks with and who is known by a name that matches, where the server had more people than it gave: its order
 * knows nothing of conversations. Names are everybody's to see, so nobody is shown here whom the server would withhold; what else might
 * have found them is left to it.
 */
export function withPartners(server: readonly FoundRow[], known: readonly PersonRow[], query: string, pad: boolean, recent: (id: string) => boolean): FoundRow[] {
  const named = known.filter((row) => recent(row.id) && (pad ? onPad(row, query) : matches({ ...row, address: '' }, query)))
  return merged(server, named)
}

/** ranked puts contacts first, then who is found by the name itself, then who one talks with; the order is kept otherwise. */
export function ranked(people: readonly FoundRow[], contact: (id: string) => boolean, recent: (id: string) => boolean): FoundRow[] {
  const place = (row: FoundRow) => (contact(row.id) ? 0 : 4) + (row.matched === undefined ? 0 : 2) + (recent(row.id) ? 0 : 1)
  return people.map((row) => ({ row, place: place(row) })).sort((a, b) => a.place - b.place).map(({ row }) => row)
}
