// Makes the pictures of cards small, on the device.
import type { ParsedCard } from './vcard'

const side = 96
/** A JPEG of 96 pixels is a few kilobytes; what is longer is none. */
const longest = 24_000

/** A picture as a JPEG of at most 96 pixels, base64; undefined when it cannot be drawn. */
export async function shrink({ type, data }: NonNullable<ParsedCard['picture']>): Promise<string | undefined> {
  try {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
    const whole = await createImageBitmap(new Blob([bytes], { type }))
    const canvas = document.createElement('canvas')
    const cut = Math.min(whole.width, whole.height)
    canvas.width = canvas.height = Math.min(cut, side)
    const from = { x: (whole.width - cut) / 2, y: (whole.height - cut) / 2 }
    canvas.getContext('2d')?.drawImage(whole, from.x, from.y, cut, cut, 0, 0, canvas.width, canvas.height)
    whole.close()
    const url = canvas.toDataURL('image/jpeg', 0.8)
    const small = url.slice(url.indexOf(',') + 1)
    return url.startsWith('data:image/jpeg;base64,') && small.length <= longest ? small : undefined
  } catch {
    return undefined
  }
}
