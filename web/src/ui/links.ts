// Finds the links in a message's text. Only what stands there with its scheme becomes a link, and what is shown is what is opened.

/** Piece is a stretch of text, with an address when it is a link. */
export interface Piece { readonly text: string; readonly href?: string }

// Spaces, quotes, angle brackets, controls and direction marks end a link: the last could show another address than the one that opens.
const candidate = /\b(?:https?:\/\/|mailto:|tel:)[^\s<>"'`\p{Cc}\p{Bidi_Control}]+/giu

const count = (s: string, c: string) => s.split(c).length - 1

/** trimmed cuts what belongs to the sentence and not to the link: punctuation at the end, and a closing bracket without its opening one. */
function trimmed(raw: string): string {
  const surplus = new Map(['()', '[]', '{}'].map((pair) => [pair.charAt(1), count(raw, pair.charAt(1)) - count(raw, pair.charAt(0))]))
  let end = raw.length
  for (; end > 0; end--) {
    const last = raw.charAt(end - 1)
    if (/[.,;:!?…*_~»”’]/u.test(last)) continue
    const unmatched = surplus.get(last) ?? 0
    if (unmatched <= 0) break
    surplus.set(last, unmatched - 1)
  }
  return raw.slice(0, end)
}

/** addressOf gives the address that a link opens, or nothing when the text is no usable link. */
function addressOf(raw: string): string | undefined {
  if (/^mailto:/i.test(raw)) return /^mailto:[^@\s]+@[^@\s]+$/i.test(raw) ? raw : undefined
  if (/^tel:/i.test(raw)) return /^tel:\+?[0-9][0-9().\-;=a-z]*$/i.test(raw) ? raw : undefined
  try {
    return new URL(raw).hostname === '' ? undefined : raw
  } catch {
    return undefined
  }
}

/** split cuts a text into plain pieces and links; joined again, the pieces are the text. */
export function split(text: string): Piece[] {
  const pieces: Piece[] = []
  let done = 0
  for (const match of text.matchAll(candidate)) {
    const shown = trimmed(match[0])
    const href = addressOf(shown)
    if (href === undefined) continue
    if (match.index > done) pieces.push({ text: text.slice(done, match.index) })
    pieces.push({ text: shown, href })
    done = match.index + shown.length
  }
  if (done < text.length) pieces.push({ text: text.slice(done) })
  return pieces
}
