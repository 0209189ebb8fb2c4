// Reads vCards as phones and mail programs write them: 2.1, 3.0 (RFC 2426) and
// 4.0 (RFC 6350), many a file. What cannot be read is left out and counted; it
// never throws.
import { decodeBytes, decodeQuoted, fromBase64Loose, latin1 } from './charset'
import type { CardItem, CardPhoneItem } from '../store/schema'

/** What a file holds. */
export interface Parsed {
  readonly cards: readonly ParsedCard[]
  /** Where cards began that could not be read, as line numbers from 1. */
  readonly broken: readonly number[]
  /** How many further cards there are, more than are taken. */
  readonly left?: number
}

/** A card with its picture as it stands in the file. */
export interface ParsedCard extends Omit<CardItem, 'id' | 'photo'> {
  readonly uid?: string
  readonly picture?: { readonly type: string; readonly data: string }
}

/** The most of one thing that is taken from a card. */
const most = 50
const longestText = 500
const longestPicture = 4 << 20

interface Property {
  readonly name: string
  readonly group: string
  readonly params: ReadonlyMap<string, readonly string[]>
  readonly value: string
}

/**
 * Reads the cards of a file one after the other, so that a caller can rest in
 * between. `text` is the file decoded as Latin-1 when it is `raw`: then the bytes
 * of each value are decoded by what the property says, or as UTF-8.
 */
export function* readCards(text: string, raw: boolean): Generator<{ readonly card?: ParsedCard; readonly line: number }, void> {
  const lines = new Lines(text)
  for (;;) {
    const line = lines.next()
    if (line === undefined) return
    if (!/^(?:[\w-]+\.)?begin[ \t]*:[ \t]*vcard[ \t]*$/i.test(line)) continue
    const at = lines.number
    const properties = readOne(lines, raw)
    const card = properties && cardOf(properties)
    yield card ? { card, line: at } : { line: at }
  }
}

/** Unfolded lines, one at a time. */
class Lines {
  number = 0
  private at = 0
  private readonly kept: string[] = []

  constructor(private readonly text: string) {}

  /** The next line as it stands. */
  bare(): string | undefined {
    const kept = this.kept.pop()
    if (kept !== undefined) {
      this.number++
      return kept
    }
    if (this.at >= this.text.length) return undefined
    let end = this.at
    while (end < this.text.length && this.text[end] !== '\n' && this.text[end] !== '\r') end++
    const line = this.text.slice(this.at, end)
    this.at = end + (this.text.startsWith('\r\n', end) ? 2 : 1)
    this.number++
    return line
  }

  /** The next line with the ones that continue it; quoted-printable lines are continued by their last character. */
  next(): string | undefined {
    const first = this.bare()
    if (first === undefined) return undefined
    const parts = [first]
    const quoted = /^[^:]*quoted-printable[^:]*:/i.test(first)
    for (;;) {
      const line = this.bare()
      if (line === undefined) break
      const last = parts[parts.length - 1] ?? ''
      if (quoted && last.endsWith('=')) {
        parts[parts.length - 1] = last.slice(0, -1)
        parts.push(line)
      } else if (line.startsWith(' ') || line.startsWith('\t')) {
        parts.push(line.slice(1))
      } else {
        this.putBack(line)
        break
      }
    }
    return parts.join('')
  }

  putBack(line: string): void {
    this.kept.push(line)
    this.number--
  }
}

// Reads up to END:VCARD; undefined when there is none before the next card or the end.
function readOne(lines: Lines, raw: boolean): Property[] | undefined {
  const list: Property[] = []
  let depth = 0
  for (;;) {
    const line = lines.next()
    if (line === undefined) return undefined
    if (/^(?:[\w-]+\.)?end[ \t]*:[ \t]*vcard[ \t]*$/i.test(line)) {
      if (depth === 0) return list
      depth--
      continue
    }
    if (/^begin[ \t]*:[ \t]*vcard[ \t]*$/i.test(line)) {
      // Inside an AGENT (2.1) stands another card; elsewhere the one before was cut off.
      if (list[list.length - 1]?.name !== 'AGENT') {
        lines.putBack(line)
        return undefined
      }
      depth++
      continue
    }
    const property = depth === 0 ? propertyOf(line, raw) : undefined
    if (property) list.push(property)
  }
}

function propertyOf(line: string, raw: boolean): Property | undefined {
  const colon = endOfHead(line)
  if (colon < 0) return undefined
  const [full = '', ...rest] = splitOutside(line.slice(0, colon), ';')
  const dot = full.lastIndexOf('.')
  const params = new Map<string, string[]>()
  for (const param of rest) {
    const equals = param.indexOf('=')
    // 2.1 writes values without their names: TEL;CELL, ENCODING left out.
    const name = equals < 0 ? bareParam(param) : param.slice(0, equals).trim().toUpperCase()
    // Quotes stand around one type or several.
    const values = (equals < 0 ? param : param.slice(equals + 1)).replaceAll('"', '').split(',').map((v) => v.trim().toLowerCase())
    params.set(name, [...(params.get(name) ?? []), ...values])
  }
  const name = full.slice(dot + 1).trim().toUpperCase()
  return { name, group: full.slice(0, Math.max(dot, 0)).toLowerCase(), params, value: decoded(line.slice(colon + 1), params, raw) }
}

function bareParam(param: string): string {
  const p = param.trim().toLowerCase()
  if (p === 'quoted-printable' || p === 'base64' || p === 'b' || p === '8bit' || p === '7bit') return 'ENCODING'
  return 'TYPE'
}

// The colon that ends name and parameters: not one inside quotes.
function endOfHead(line: string): number {
  let quoted = false
  for (let i = 0; i < line.length && i < 2_000; i++) {
    const c = line[i]
    if (c === '"') quoted = !quoted
    else if (c === ':' && !quoted) return i
  }
  return quoted ? line.indexOf(':') : -1
}

function splitOutside(s: string, by: string): string[] {
  const parts: string[] = []
  let quoted = false
  let from = 0
  for (let i = 0; i <= s.length; i++) {
    if (s[i] === '"') quoted = !quoted
    if (i === s.length || (s[i] === by && !quoted)) {
      parts.push(s.slice(from, i))
      from = i + 1
    }
  }
  return parts
}

function decoded(value: string, params: Property['params'], raw: boolean): string {
  const charset = params.get('CHARSET')?.[0]
  if (params.get('ENCODING')?.includes('quoted-printable')) return decodeQuoted(value, charset)
  if (!raw) return value
  return value.length > 10_000 || /^[\x20-\x7e]*$/.test(value) ? value : decodeBytes(latin1(value), charset)
}

// --- From properties to a card

const text = (s: string): string => unescaped(s).replace(/\s+/g, ' ').trim().slice(0, longestText)

const unescaped = (s: string): string => s.replace(/\\([\\;,:nN])/g, (_, c: string) => (c === 'n' || c === 'N' ? '\n' : c))

// The parts of a value with components, such as N and ORG.
function components(s: string): string[] {
  const parts: string[] = ['']
  for (let i = 0; i < s.length; i++) {
    const c = s[i]
    if (c === ';') parts.push('')
    else if (c === '\\' && i + 1 < s.length) parts[parts.length - 1] += c + (s[++i] ?? '')
    else parts[parts.length - 1] += c ?? ''
  }
  return parts.map(text)
}

function cardOf(list: readonly Property[]): ParsedCard | undefined {
  const first = (name: string): string => text(list.find((p) => p.name === name && p.value.trim() !== '')?.value ?? '')
  const [company = '', department = ''] = components(preferred(list.filter((p) => p.name === 'ORG'))[0]?.value ?? '')
  const mails = preferred(list.filter((p) => p.name === 'EMAIL')).map((p) => address(p.value)).filter((mail) => mail !== '')
  const addresses = list.filter((p) => p.name === 'IMPP' || p.name === 'X-SIP' || p.name === 'X-MS-IMADDRESS').map((p) => imAddress(p)).filter((a) => a !== '')
  const phones = preferred(list.filter((p) => p.name === 'TEL')).map((p) => phoneOf(p, list)).filter((p) => p.number !== '')
  const name = nameOf(list, company) || mails[0] || phones[0]?.number || ''
  if (name === '') return undefined
  const picture = pictureOf(list)
  const uid = first('UID')
  return dropEmpty({
    ...(uid !== '' && { uid }),
    name,
    nick: first('NICKNAME'),
    mails: unique(mails),
    addresses: unique(addresses),
    phones: phones.slice(0, most),
    title: first('TITLE') || first('ROLE'),
    company,
    department,
    office: '',
    ...(picture && { picture }),
  })
}

const unique = (list: readonly string[]): string[] => [...new Set(list)].slice(0, most)

/** Leaves out what says nothing. */
export function dropEmpty<T extends object>(card: T): T {
  return Object.fromEntries(Object.entries(card).filter(([, v]) => v !== '' && !(Array.isArray(v) && v.length === 0))) as T
}

// The preferred value first; the order is kept otherwise.
function preferred(list: readonly Property[]): Property[] {
  const pref = (p: Property): number => (p.params.get('TYPE')?.includes('pref') ? 0 : Number(p.params.get('PREF')?.[0] ?? 101))
  return list.map((p) => ({ p, at: pref(p) })).sort((a, b) => (a.at || 0) - (b.at || 0)).map(({ p }) => p)
}

function nameOf(list: readonly Property[], company: string): string {
  const full = text(list.find((p) => p.name === 'FN' && p.value.trim() !== '')?.value ?? '')
  if (full !== '') return full
  const n = list.find((p) => p.name === 'N')?.value
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = n === undefined ? [] : components(n)
  return [prefix, given, middle, family, suffix].filter((part) => part !== '').join(' ') || company || text(list.find((p) => p.name === 'NICKNAME')?.value ?? '')
}

const address = (value: string): string => text(value).replace(/^mailto:/i, '').slice(0, 320)

// Only what can be a sign-in or SIP address: others are names in other networks.
function imAddress(p: Property): string {
  const value = text(p.value)
  if (p.name === 'IMPP' && !/^(?:sips?|im):/i.test(value)) return ''
  return value.slice(0, 320)
}

const kinds: readonly (readonly [string, CardPhoneItem['kind']])[] = [
  ['cell', 'mobile'],
  ['mobile', 'mobile'],
  ['iphone', 'mobile'],
  ['work', 'work'],
  ['home', 'home'],
]

function phoneOf(p: Property, list: readonly Property[]): CardPhoneItem {
  const types = p.params.get('TYPE') ?? []
  const label = text(list.find((l) => l.group !== '' && l.group === p.group && l.name === 'X-ABLABEL')?.value ?? '')
    .replace(/^_\$!<|>!\$_$/g, '')
    .toLowerCase()
  const kind = kinds.find(([type]) => types.includes(type) || label === type)?.[1] ?? 'other'
  return { kind: types.includes('fax') || types.includes('pager') ? 'other' : kind, number: text(p.value).replace(/^tel:/i, '').slice(0, 64) }
}

// A picture that is in the file. One that is elsewhere is not fetched: that would tell somebody.
function pictureOf(list: readonly Property[]): ParsedCard['picture'] {
  const photo = list.find((p) => p.name === 'PHOTO')
  if (!photo || photo.value.length > longestPicture) return undefined
  const uri = /^data:(image\/[\w.+-]+)[^,]*;base64,(.*)$/is.exec(photo.value)
  const data = fromBase64Loose(uri?.[2] ?? (photo.params.get('ENCODING')?.some((e) => e === 'b' || e === 'base64') ? photo.value : ''))
  if (data === undefined || data === '') return undefined
  const type = photo.params.get('TYPE')?.[0] ?? 'jpeg'
  return { type: uri?.[1]?.toLowerCase() ?? (type.startsWith('image/') ? type : `image/${type}`), data }
}
