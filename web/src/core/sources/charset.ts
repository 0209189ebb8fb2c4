// Turns the bytes of a file into text: by its byte order mark, by what it looks
// like, or by what a property of a vCard says.

/** A string whose characters are bytes, as bytes. */
export const latin1 = (s: string): Uint8Array<ArrayBuffer> => Uint8Array.from(s, (c) => c.charCodeAt(0) & 0xff)

/** Bytes as a string whose characters are the bytes. */
export function asLatin1(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 0x8000) parts.push(String.fromCharCode(...bytes.subarray(i, i + 0x8000)))
  return parts.join('')
}

/** Bytes in a named charset, or in UTF-8 if they are that, else as Windows-1252, which knows every byte. */
export function decodeBytes(bytes: Uint8Array<ArrayBuffer>, charset?: string): string {
  for (const label of charset === undefined ? ['utf-8'] : [charset, 'utf-8']) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes)
    } catch {
      // Not in that charset, or nobody knows it.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes)
}

/** Quoted-printable text (RFC 2045 §6.7); what is no escape stays as it is. */
export function decodeQuoted(s: string, charset?: string): string {
  const bytes = s.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  // A file that was decoded already may hold letters beside escapes.
  return /[^\x00-\xff]/.test(bytes) ? bytes : decodeBytes(latin1(bytes), charset)
}

/** What a file's bytes say of themselves. */
export interface FileText {
  readonly text: string
  /** `text` holds bytes, to be decoded value by value. */
  readonly raw: boolean
}

/** Decodes what can be known at once: UTF-16 and UTF-8, with or without a mark. */
export function fileText(bytes: Uint8Array<ArrayBuffer>): FileText {
  const [a, b, c] = bytes
  if (a === 0xff && b === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes), raw: false }
  if (a === 0xfe && b === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes), raw: false }
  const whole = a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes
  const wide = wideness(whole)
  if (wide !== undefined) return { text: new TextDecoder(wide).decode(whole), raw: false }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(whole), raw: false }
  } catch {
    return { text: asLatin1(whole), raw: true }
  }
}

// UTF-16 without a mark: every other byte of plain letters is zero.
function wideness(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const n = Math.min(bytes.length, 200)
  let even = 0
  let odd = 0
  for (let i = 0; i < n; i++) if (bytes[i] === 0) i % 2 === 0 ? even++ : odd++
  if (n < 4 || even + odd < n / 4) return undefined
  return odd > even ? 'utf-16le' : 'utf-16be'
}

/** Base64 with whatever stands between; undefined when it is none. */
export function fromBase64Loose(s: string): string | undefined {
  const plain = s.replace(/[^A-Za-z0-9+/=]/g, '').replace(/=+$/, '')
  return plain.length % 4 === 1 ? undefined : plain
}

/** A whole file of one charset as text: a table, which has nothing that says it line by line. */
export const tableText = ({ text, raw }: FileText): string => (raw ? new TextDecoder(guess(text)).decode(latin1(text)) : text)

// Old tables are in the code page of the Windows that wrote them. Japanese ones can be told by their pairs.
function guess(bytes: string): string {
  const sample = bytes.slice(0, 100_000)
  const pairs = sample.match(/[\x81-\x9f\xe0-\xef][\x40-\x7e\x80-\xfc]/g)?.length ?? 0
  const high = sample.match(/[\x80-\xff]/g)?.length ?? 0
  const kana = sample.match(/[\x82\x83][\x40-\xfc]/g)?.length ?? 0
  return kana > 0 && pairs * 2 >= high * 0.9 ? 'shift_jis' : 'windows-1252'
}
