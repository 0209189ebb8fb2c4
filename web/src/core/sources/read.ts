// Reads a file of contacts, whatever it is, in slices: the page goes on drawing
// while ten thousand cards are read.
import { utf8 } from '../bytes'
import { fileText, tableText } from './charset'
import { readTable } from './csv'
import { identifier } from './identifier'
import { readCards, type Parsed, type ParsedCard } from './vcard'
import type { CardItem } from '../store/schema'

export const mostCards = 20_000
export const largestFile = 64 << 20
/** How long the page may be kept waiting. */
const sliceMs = 12

/** Lets the page do what waits. */
const rest = (): Promise<void> => new Promise((go) => setTimeout(go))

/** Rests whenever the page has been kept waiting long enough. */
export function pacer(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < sliceMs) return undefined
    return rest().then(() => {
      since = performance.now()
    })
  }
}

/** Reads a file of vCards or a table, at most `most` cards of it; the rest is counted. `told` hears how many cards there are so far. */
export async function readContacts(bytes: Uint8Array<ArrayBuffer>, told: (count: number) => void = () => undefined, most = mostCards): Promise<Parsed> {
  const file = fileText(bytes)
  const vcards = /(?:^|[\r\n])\s*(?:[\w-]+\.)?begin[ \t]*:[ \t]*vcard/i.test(file.text.slice(0, 1 << 20))
  const cards: ParsedCard[] = []
  const broken: number[] = []
  let left = 0
  const pace = pacer()
  for (const { card, line } of vcards ? readCards(file.text, file.raw) : readTable(tableText(file))) {
    if (!card) broken.push(line)
    else if (cards.length < most) cards.push(card)
    else left++
    const due = pace()
    if (due) {
      told(cards.length)
      await due
    }
  }
  return { cards, broken, ...(left > 0 && { left }) }
}

/**
 * Gives cards the ids by which decisions about them are kept: a card's own UID,
 * else a hash of what identifies it, so that the same export brought in again is
 * the same cards. Of cards with one id the last one stands.
 */
export async function withIds(cards: readonly ParsedCard[], shrink: (picture: NonNullable<ParsedCard['picture']>) => Promise<string | undefined>): Promise<CardItem[]> {
  const list = new Map<string, CardItem>()
  const pace = pacer()
  for (const { uid, picture, ...card } of cards) {
    const photo = picture && (await shrink(picture))
    const id = await idOf(uid, card)
    list.set(id, { id, ...card, ...(photo !== undefined && { photo }) })
    await pace()
  }
  return [...list.values()]
}

async function idOf(uid: string | undefined, card: Omit<CardItem, 'id'>): Promise<string> {
  if (uid !== undefined && uid.length <= 100) return uid.replace(/^urn:uuid:/i, '')
  const mails = [...(card.mails ?? []), ...(card.addresses ?? [])].map((m) => identifier(m)).filter((m) => m !== '').sort()
  const numbers = (card.phones ?? []).map((p) => p.number.replace(/[^+0-9]/g, '')).sort()
  const what = uid ?? JSON.stringify(mails.length > 0 ? [card.name, mails] : [card.name, numbers])
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(what)))
  return Array.from(digest.subarray(0, 12), (b) => b.toString(16).padStart(2, '0')).join('')
}
