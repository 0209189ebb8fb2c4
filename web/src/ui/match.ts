// Finds people among those the device already knows, while the server is still looking.
import type { PersonRow } from '../core'

/** fold makes text comparable: without case, accents and the letters that do not decompose. */
export function fold(s: string): string {
  const plain = s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return plain.replace(/[ßøæœłđ]/g, (c) => ({ ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd' })[c] ?? c)
}

/** matches tells whether every word of the query begins a word of the name, or the address. The words may come in any order. */
export function matches(row: PersonRow, query: string): boolean {
  const wanted = fold(query).split(/[\s,]+/).filter((w) => w !== '')
  const has = [...fold(row.display_name).split(/[\s,.\-()]+/), fold(row.address)]
  return wanted.length > 0 && wanted.every((w) => has.some((h) => h.startsWith(w)))
}

/** merged puts the server's answer first and adds what only the device found; one entry a person. */
export function merged(server: readonly PersonRow[], local: readonly PersonRow[]): PersonRow[] {
  const known = new Set(server.map((row) => row.id))
  return [...server, ...local.filter((row) => !known.has(row.id))]
}
