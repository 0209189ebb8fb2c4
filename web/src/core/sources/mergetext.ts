// How texts and numbers of different sources are compared: the twin of
// contact/merge_text.go.

const between = /[\p{White_Space}\p{Cc}]+/u

/** A text as it is shown: one space between words, none around them. */
export const spaced = (s: string): string => s.split(between).filter((word) => word !== '').join(' ')

/** A text in small letters, character by character as Go does it; the two small sigmas are one. */
export const lower = (s: string): string => Array.from(s, (c) => (c === 'İ' ? 'i' : c.toLowerCase())).join('').replaceAll('ς', 'σ')

/** The form in which two values of a field are compared. */
export const textKey = (s: string): string => lower(spaced(s.normalize('NFKC'))).normalize('NFC')

/** Orders texts by code point, as Go orders them. */
export function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates stand for what comes after everything else.
    if (x >= 0xd800 && y >= 0xd800) return rank(x) - rank(y)
    return x - y
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

/** How many digits a number without its country needs to be taken for the end of a full one. */
const minNational = 7

/** A number for comparing: full with its country code, else national, else a text. */
export type NumberForm = { readonly as: 'full' | 'national' | 'text'; readonly value: string }

/** Whether two forms are one number. A number without its country is the same as a full one that ends with it. */
export function sameNumber(a: NumberForm, b: NumberForm): boolean {
  if (a.as === 'full' && b.as === 'national') return endsWith(a.value, b.value)
  if (a.as === 'national' && b.as === 'full') return endsWith(b.value, a.value)
  return a.as === b.as && a.value === b.value
}

function endsWith(full: string, number: string): boolean {
  const national = number.replace(/^0+/, '')
  return national.length >= minNational && full.endsWith(national)
}

/** The form of a number; undefined when there is none. */
export function formOf(written: string, dial = ''): NumberForm | undefined {
  const dialled = dial.startsWith('+') ? onlyDigits(dial.slice(1)) : ''
  if (dialled !== '') return { as: 'full', value: dialled }
  let number = spaced(written.normalize('NFKC')).replace(/[٠-٩]/g, (c) => digit(c, 0x660)).replace(/[۰-۹]/g, (c) => digit(c, 0x6f0))
  if (number.length > 4 && /^tel:/i.test(number)) number = number.slice(4).split(';', 1)[0] ?? ''
  if (number.startsWith('+')) {
    const digits = onlyDigits(number.slice(1).replace('(0)', ''))
    if (digits !== '') return { as: 'full', value: digits }
  }
  const digits = onlyDigits(number)
  if (digits.startsWith('00') && digits.length - 2 >= minNational) return { as: 'full', value: digits.slice(2) }
  if (digits !== '') return { as: 'national', value: digits }
  const text = textKey(written)
  return text === '' ? undefined : { as: 'text', value: text }
}

const digit = (c: string, zero: number): string => String(c.charCodeAt(0) - zero)
const onlyDigits = (s: string): string => s.replace(/[^0-9]/g, '')
