// Bytes and their text forms.

/** Bytes in a buffer of their own, as WebCrypto and IndexedDB want them. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8 = (text: string): Bytes => encoder.encode(text) as Bytes

/** The text of UTF-8 bytes; undefined when they are not UTF-8. */
export function textOf(bytes: Bytes): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** Padded base64, RFC 4648 §4. */
export function toBase64(bytes: Bytes): string {
  let binary = ''
  // In chunks: a call has room for some 60,000 arguments only.
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary)
}

/** Reads base64, padded or not; undefined when it is none. */
export function fromBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  } catch {
    return undefined
  }
}

/** Unpadded base64url, RFC 4648 §5. */
export const toBase64Url = (bytes: Bytes): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/** 128 random bits as 22 characters of base64url: the form of client ids and installations. */
export const randomId = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
