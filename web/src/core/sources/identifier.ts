// The one form in which addresses of people are compared: the twin of
// contact.Identifier, held to it by contact/testdata/merge/identifiers.json.
import { lower } from './mergetext'

/** The longest text, in characters, that is taken for an address. */
const longest = 320

const blank = /[\p{White_Space}\p{Cc}\p{Cf}]/u
const around = /^[\p{White_Space}\p{Cc}\p{Cf}]+|[\p{White_Space}\p{Cc}\p{Cf}]+$/gu
const scheme = /^(?:mailto|smtp|sips?|im):/i
const notInLocalPart = /["(),:;<>@[\\\]]/
const asciiDomain = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
// What browsers take for an IPv4 address.
const lastIsNumber = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/

/**
 * The form of a sign-in, SIP or mail address for comparing, without what may
 * stand around it; '' for a text that is no address, which equals nobody's.
 */
export function identifier(text: string): string {
  if (text.length > 4 * longest || lone.test(text)) return ''
  let s = trimmed(text.normalize('NFKC'))
  const open = s.lastIndexOf('<')
  if (open >= 0 && s.endsWith('>')) s = trimmed(s.slice(open + 1, -1))
  const plain = withoutScheme(s)
  if (plain === undefined || [...plain].length > longest) return ''
  const at = plain.lastIndexOf('@')
  if (at < 1 || blank.test(plain)) return ''
  const local = lower(plain.slice(0, at)).normalize('NFC')
  const domain = domainForm(plain.slice(at + 1))
  return domain === '' || notInLocalPart.test(local) ? '' : `${local}@${domain}`
}

const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const trimmed = (s: string): string => s.replace(around, '')

function withoutScheme(s: string): string | undefined {
  const found = scheme.exec(s)
  if (!found) return s
  const [rest = ''] = s.slice(found[0].length).split(/[;?]/, 1)
  try {
    return trimmed(decodeURIComponent(rest).normalize('NFKC'))
  } catch {
    return undefined
  }
}

function domainForm(text: string): string {
  const s = text.replace(/\.$/, '')
  if (/^[\x00-\x7f]*$/.test(s)) {
    const ascii = s.toLowerCase()
    return asciiDomain.test(ascii) ? ascii : ''
  }
  // The address parser of the browser knows international domains, and much else that must not get that far.
  if (/[\x00-\x2c/:-@[-^`{-\x7f]/.test(s)) return ''
  try {
    const domain = new URL(`https://${s}/`).hostname.replace(/\.$/, '')
    return asciiDomain.test(domain) && !lastIsNumber.test(domain) ? domain : ''
  } catch {
    return ''
  }
}
