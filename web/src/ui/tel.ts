// Telephone numbers as the device's own dialler takes them.

/** dialable keeps what can be dialled: digits, star, hash, and a plus in front. Letters of vanity numbers and spaces fall away. */
export function dialable(number: string): string {
  const kept = number.normalize('NFKC').replace(/[^0-9+*#]/g, '')
  return kept.charAt(0) + kept.slice(1).replaceAll('+', '')
}

/** telHref is the address of a call with the device's own dialler (RFC 3966). */
export const telHref = (number: string): string => `tel:${dialable(number).replaceAll('#', '%23')}`
