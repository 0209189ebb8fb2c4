// What the platform is and can: the one place that asks the browser about
// itself. It never asks where the device is.
import type { DeviceClass } from './types'

const nav = globalThis.navigator as Navigator & { standalone?: boolean }
const matches = (query: string): boolean => globalThis.matchMedia?.(query).matches ?? false

/** Runs as an installed app, not in a browser tab. */
export const standalone: boolean = nav?.standalone === true || matches('(display-mode: standalone)')

/** An iPhone or iPad; iPadOS calls itself a Mac with a touch screen. */
export const iOS: boolean =
  /iPhone|iPad|iPod/.test(nav?.userAgent ?? '') || (/Macintosh/.test(nav?.userAgent ?? '') && (nav?.maxTouchPoints ?? 0) > 1)

/** `mobile` when the primary pointer is coarse. Fixed at sign-in. */
export const deviceClass = (): DeviceClass => (matches('(pointer: coarse)') ? 'mobile' : 'desktop')

/** The time zone only; never a place. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export const visible = (): boolean => document.visibilityState === 'visible'

const systems: readonly [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/CrOS/, 'Chromebook'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'Mac'],
  [/Linux/, 'Linux'],
]
// The order counts: every browser claims to be the ones after it.
const browsers: readonly [RegExp, string][] = [
  [/EdgA?\/|EdgiOS\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|Chromium\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

/** How the person's list of devices calls this one: "iPhone, Safari". */
export function deviceName(userAgent = nav.userAgent, touchPoints = nav.maxTouchPoints ?? 0): string {
  const first = (list: readonly [RegExp, string][]): string | undefined => list.find(([re]) => re.test(userAgent))?.[1]
  const system = first(systems)
  const named = system === 'Mac' && touchPoints > 1 ? 'iPad' : system
  return [named, first(browsers)].filter((part) => part !== undefined).join(', ') || 'Browser'
}

/** Asks the browser never to clear the store by itself; undefined when it cannot be asked. */
export async function persist(): Promise<boolean | undefined> {
  try {
    if (await nav.storage?.persisted?.()) return true
    return await nav.storage?.persist?.()
  } catch {
    return undefined
  }
}

/** The number on the app's icon, where there is one. */
export function setBadge(count: number): void {
  const done = count > 0 ? nav.setAppBadge?.(count) : nav.clearAppBadge?.()
  // Refused without permission to notify; there is nothing to do about it.
  done?.catch(() => undefined)
}

/** Whether this origin has what a sealed history needs. Plain HTTP from another machine has not. */
export const secureEnough = (): boolean => globalThis.isSecureContext && globalThis.crypto?.subtle !== undefined

/** The build of the page that runs, as index.html says it. */
export const build = (): string =>
  document.querySelector<HTMLMetaElement>('meta[name="parley-build"]')?.content.slice(0, 64) || 'dev'

/** Address of the socket on the server that `base` names, or on the page's own. */
export function socketUrl(base: string): string {
  const url = new URL(`${base}/api/ws`, location.href)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  return url.href
}
