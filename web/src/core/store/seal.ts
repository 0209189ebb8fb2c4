// Sealing: every record that holds content leaves memory through here. A sealed
// record is bound to its place, so that one cannot be put where another was.
import { type Bytes, textOf, toBase64Url, utf8 } from '../bytes'

/** The keys of one person's store. They cannot be exported, and IndexedDB keeps them as they are. */
export interface Keys {
  /** AES-GCM, 256 bits: seals records. */
  box: CryptoKey
  /** HMAC-SHA-256: makes the hashed ids by which a message is recognised. */
  ids: CryptoKey
}

/** Thrown when a record does not open: another key, another place, or damage. */
export class SealBroken extends Error {
  constructor(readonly place: string) {
    super(`a record at ${place} does not open`)
    this.name = 'SealBroken'
  }
}

const ivBytes = 12 // 96 random bits: safe for 2^32 records under one key (NIST SP 800-38D §8.3)

/** Derives the keys of a store from the history key (32 bytes) that the server keeps for this device. */
export async function deriveKeys(historyKey: Bytes): Promise<Keys> {
  if (historyKey.length !== 32) throw new Error('the history key must have 32 bytes')
  const root = await crypto.subtle.importKey('raw', historyKey, 'HKDF', false, ['deriveKey'])
  const derive = (purpose: string, type: AesKeyGenParams | HmacKeyGenParams, uses: KeyUsage[]): Promise<CryptoKey> =>
    crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(purpose) },
      root,
      type,
      false,
      uses,
    )
  const [box, ids] = await Promise.all([
    derive('parley device store 1: records', { name: 'AES-GCM', length: 256 }, ['encrypt', 'decrypt']),
    derive('parley device store 1: ids', { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']),
  ])
  return { box, ids }
}

/** Seals and opens values, and hashes ids, under one pair of keys. */
export class Sealer {
  constructor(private readonly keys: Keys) {}

  /** The value as JSON, encrypted under a fresh IV, which stands in front. */
  async seal(place: string, value: unknown): Promise<Bytes> {
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes))
    const algorithm = { name: 'AES-GCM', iv, additionalData: utf8(place) }
    const sealed = await crypto.subtle.encrypt(algorithm, this.keys.box, utf8(JSON.stringify(value)))
    const out = new Uint8Array(ivBytes + sealed.byteLength)
    out.set(iv)
    out.set(new Uint8Array(sealed), ivBytes)
    return out
  }

  /** Opens what seal made for the same place; rejects with SealBroken. */
  async open<T>(place: string, box: Bytes): Promise<T> {
    try {
      const algorithm = { name: 'AES-GCM', iv: box.subarray(0, ivBytes), additionalData: utf8(place) }
      const plain = await crypto.subtle.decrypt(algorithm, this.keys.box, box.subarray(ivBytes))
      return JSON.parse(textOf(new Uint8Array(plain)) ?? '') as T
    } catch {
      throw new SealBroken(place)
    }
  }

  /** A stable name for parts that must not stand in clear: 128 bits, base64url. */
  async hash(...parts: string[]): Promise<string> {
    const mac = await crypto.subtle.sign('HMAC', this.keys.ids, utf8(parts.join('\0')))
    return toBase64Url(new Uint8Array(mac).subarray(0, 16) as Bytes)
  }
}
