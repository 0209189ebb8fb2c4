// Telephone numbers as the device's own dialler takes them.

/** dialable keeps what can be dialled: digits, star, hash, and a plus in front or behind the code of a service. */
export const dialable = (number: string): string =>
  number
    .normalize('NFKC')
    .replace(/[^0-9+*#]/g, '')
    .replace(/(?<!^|^[*#][0-9*]*#)\+/g, '')

/** What stands behind a number: an extension, as people and RFC 3966 write it; or what is to be dialled after a pause, which is left to the person. */
const extension = /^(.*\d\)?)(?:;\s*ext=|[\s,;(]*(?:extension|extn?)[\s.:]*|\s*x[\s.:]*)(\d{1,11})\)?$/i
const pause = /^([^,;pw]*[\d#)])\s*(?:[,;]|[pw](?=[\d,;pw])).*$/i
/** A number that is said in capitals: its digits, then words, the hyphens between them. */
const vanity = /^\+?[\d\s().\-/]*\d[\s.\-)]*[A-Z][A-Z\d\s.-]+$/
/** The key of each letter from A (ITU-T E.161). */
const keys = '22233344455566677778889999'

/**
 * toDial is what a dialler takes of a number as somebody wrote it, and its extension.
 * Words that are no part of a number make it nobody's: another number than the one
 * that is meant must never be called.
 */
function toDial(written: string): { number: string; ext: string } | undefined {
  let number = written.normalize('NFKC').trim().replace(/^tel[:.]\s*/i, '').replace(/\s*\((?=[^)]*\p{L})[^\d)]*\)/gu, '')
  let ext = ''
  const behind = extension.exec(number)
  if (behind) [number, ext] = [behind[1] ?? '', behind[2] ?? '']
  else number = pause.exec(number)?.[1] ?? number
  if (vanity.test(number)) number = number.replace(/[A-Z]/g, (letter) => keys.charAt(letter.charCodeAt(0) - 65))
  if (/\p{L}/u.test(number)) return undefined
  // The trunk prefix is not dialled from elsewhere, but in Italy it is.
  if (/^\+(?!39)/.test(number)) number = number.replace(/\(0\)/, '')
  number = dialable(number)
  return /\d/.test(number) ? { number, ext } : undefined
}

/** telHref is the address of a call with the device's own dialler (RFC 3966); undefined when what is written is no number that can be dialled. */
export function telHref(written: string): string | undefined {
  const dial = toDial(written)
  return dial && `tel:${dial.number.replaceAll('#', '%23')}${dial.ext && `;ext=${dial.ext}`}`
}

/** Numbered is what is known of a number: as written, E.164, and the form for reading, which a server of the release before does not give. */
interface Numbered { readonly number: string; readonly dial?: string | undefined; readonly shown?: string | undefined }

/** readable is the form for reading. */
export const readable = (phone: Numbered): string => phone.shown ?? phone.number

/** internationalOf is a number in E.164: as the server says, or as it is written; undefined for one that names no country. */
export function internationalOf(phone: Numbered): string | undefined {
  if (phone.dial !== undefined && phone.dial !== '') return phone.dial
  const plain = toDial(phone.number)
  return plain?.ext === '' && /^\+[1-9]\d{6,14}$/.test(plain.number) ? plain.number : undefined
}

/** copied is what a number is copied as: E.164 where it is known. */
export const copied = (phone: Numbered): string => internationalOf(phone) ?? phone.number
