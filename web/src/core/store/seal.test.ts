import { describe, expect, it } from 'vitest'
import { historyKey } from '../testing/device'
import { deriveKeys, SealBroken, Sealer } from './seal'

describe('a sealed record', () => {
  it('opens at its place only, under its key only, and unchanged only', async () => {
    const sealer = new Sealer(await deriveKeys(historyKey(1)))
    const other = new Sealer(await deriveKeys(historyKey(2)))
    const box = await sealer.seal('messages/p1.p2/1', { text: 'grüße 👋' })
    expect(await sealer.open('messages/p1.p2/1', box)).toEqual({ text: 'grüße 👋' })
    await expect(sealer.open('messages/p1.p2/2', box)).rejects.toBeInstanceOf(SealBroken)
    await expect(other.open('messages/p1.p2/1', box)).rejects.toBeInstanceOf(SealBroken)
    for (const i of [0, 12, box.length - 1]) {
      const bent = box.slice()
      bent[i] = (bent[i] ?? 0) ^ 1
      await expect(sealer.open('messages/p1.p2/1', bent)).rejects.toBeInstanceOf(SealBroken)
    }
    for (const length of [0, 5, 12, 20]) {
      await expect(sealer.open('messages/p1.p2/1', box.slice(0, length))).rejects.toBeInstanceOf(SealBroken)
    }
  })

  it('has a fresh IV each time', async () => {
    const sealer = new Sealer(await deriveKeys(historyKey(1)))
    const ivs = await Promise.all(Array.from({ length: 50 }, async () => String((await sealer.seal('x', 1)).subarray(0, 12))))
    expect(new Set(ivs).size).toBe(50)
  })

  it('has keys that nobody can take out', async () => {
    const keys = await deriveKeys(historyKey(1))
    for (const key of Object.values(keys) as CryptoKey[]) {
      expect(key.extractable).toBe(false)
      await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
    }
    await expect(deriveKeys(new Uint8Array(16))).rejects.toThrow()
  })
})

describe('hashed ids', () => {
  it('depend on every part, on their borders and on the key', async () => {
    const keys = await deriveKeys(historyKey(1))
    const sealer = new Sealer(keys)
    const names = await Promise.all([
      sealer.hash('p1', 'x'),
      sealer.hash('p1x', ''),
      sealer.hash('p', '1x'),
      new Sealer(await deriveKeys(historyKey(2))).hash('p1', 'x'),
    ])
    expect(new Set(names).size).toBe(4)
    expect(await sealer.hash('p1', 'x')).toBe(names[0])
    expect(names[0]).toMatch(/^[\w-]{22}$/)
  })
})
