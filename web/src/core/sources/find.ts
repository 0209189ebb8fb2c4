// How what one types is compared with names and numbers of the device's contacts.

/** A text without case, accents and the letters that do not decompose. */
export const folded = (s: string): string =>
  s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[ßøæœłđ]/g, (c) => ({ ß: 'ss', ø: 'o', æ: 'ae', œ: 'oe', ł: 'l', đ: 'd' })[c] ?? c)

export const wordsOf = (s: string): string[] => folded(s).split(/[\s,.\-()’'_+@]+/).filter((w) => w !== '')

const keys = ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz']
const keyOf = (c: string): string => (/[0-9]/.test(c) ? c : String(keys.findIndex((k) => k.includes(c)) + 2).replace(/^1$/, ''))

/** The words of a name on a dial pad (ITU-T E.161), each with those behind it. */
export function padOf(name: string): string[] {
  const words = wordsOf(name).map((w) => Array.from(w, keyOf).join(''))
  return words.map((_, i) => words.slice(i).join(''))
}

const fewest = 3

/** The digits of what was typed, if it can be a part of a number; else ''. */
export function digitsTyped(query: string): string {
  if (!/^[+0-9\s()./-]+$/.test(query)) return ''
  const digits = significant(query)
  return digits.length >= fewest ? digits : ''
}

// Without what stands before a number only in some places: +, 00, (0), the zero before an area code.
const significant = (s: string): string => s.replace(/\(0\)/, '').replace(/[^0-9]/g, '').replace(/^0+/, '')

/** Whether a number holds what was typed, or is what was typed without its country. */
export function hasNumber(number: string, typed: string): boolean {
  const digits = significant(number)
  if (digits === '') return false
  return digits.includes(typed) || (digits.length >= 7 && typed.endsWith(digits))
}
