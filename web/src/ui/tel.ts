// Telephone numbers as the device's own dialler takes them.

/** dialable keeps what can be dialled: digits, star, hash, and a plus in front. Letters of vanity numbers and spaces fall away. */
export function dialable(number: string): string {
  const kept = number.normalize('NFKC').replace(/[^0-9+*#]/g, '')
  return kept.charAt(0) + kept.slice(1).replaceAll('+', '')
}

/** telHref is the address of a call with the device's own dialler (RFC 3966). */
export const telHref = (number: string): string => `tel:${dialable(number).replaceAll('#', '%23')}`

/** Numbered is what is known of a number: as written, E.164, and the form for reading, which a server of the release before does not give. */
interface Numbered { readonly number: string; readonly dial?: string | undefined; readonly shown?: string | undefined }

/** readable is the form for reading. */
export const readable = (phone: Numbered): string => phone.shown ?? phone.number

/** internationalOf is a number in E.164: as the server says, or as it is written; undefined for one that names no country. */
export function internationalOf(phone: Numbered): string | undefined {
  if (phone.dial !== undefined && phone.dial !== '') return phone.dial
  const plain = dialable(phone.number.replace('(0)', ''))
  return /^\+[1-9]\d{6,14}$/.test(plain) ? plain : undefined
}

/** copied is what a number is copied as: E.164 where it is known. */
export const copied = (phone: Numbered): string => internationalOf(phone) ?? phone.number
