// The service worker: installed where the browser has one, replaced when the
// person starts the app again, asks for it, or the server no longer speaks with
// this version. The app works without it.
import { signal } from '@preact/signals'

/** The message that makes a waiting worker take over; sw.ts listens for it. */
const activate = 'activate'
const workerPath = '/sw.js'
const checkEveryMs = 60 * 60_000
/** How long a version has to take over at a start, before the app begins without it. */
const startPatienceMs = 3_000
/**
 * How long a page is left alone after it has loaded. Chromium lets a version take over that asks for it while the former
 * worker is still handing out the page half a minute later, or, with the developer's tools open, never.
 */
const settleMs = 300

/** A newer version is installed and waits. */
export const updateWaits = signal(false)

interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

// The page's policy allows scripts from one place only; this is the one exception
// that registering a worker needs, and it lets through one address.
function trustedWorkerUrl(): string {
  const factory = (globalThis as { trustedTypes?: TrustedTypesFactory }).trustedTypes
  if (!factory) return workerPath
  const policy = factory.createPolicy('parley-sw', {
    createScriptURL: (url) => {
      if (url !== workerPath) throw new TypeError('not the worker')
      return url
    },
  })
  return policy.createScriptURL(workerPath)
}

let registration: ServiceWorkerRegistration | undefined
let checked = 0

/**
 * Lets a version take over that waits since an earlier visit, before the app begins, so that nobody is interrupted.
 * True: the page is being reloaded into it.
 */
export async function takeWaiting(): Promise<boolean> {
  if (!('serviceWorker' in navigator) || !navigator.serviceWorker.controller) return false
  const found = await navigator.serviceWorker.getRegistration()
  const waiting = found?.waiting
  if (!waiting) return false
  const taken = takenOver(startPatienceMs)
  await loaded()
  await pause(settleMs)
  if (found.waiting === waiting) waiting.postMessage(activate)
  if (!(await taken)) return false
  location.reload()
  return true
}

/** Registers the worker. A version that could not take over at the start is offered. */
export async function startWorker(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  try {
    registration = await navigator.serviceWorker.register(trustedWorkerUrl(), { updateViaCache: 'none' })
  } catch {
    return // no worker, no offline shell; everything else works
  }
  const found = registration
  checked = Date.now()
  if (found.waiting && navigator.serviceWorker.controller) updateWaits.value = true
  // The first worker of all is no update. WebKit tells that it is installed when it is active already.
  const coming = (worker: ServiceWorker | null): void => {
    if (!found.active) return
    worker?.addEventListener('statechange', () => {
      if (found.waiting === worker) updateWaits.value = true
    })
  }
  coming(found.installing) // it may have been found before anybody listened
  found.addEventListener('updatefound', () => coming(found.installing))
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && Date.now() - checked > checkEveryMs) void checkForUpdate()
  })
}

/** Looks for a newer version. */
export async function checkForUpdate(): Promise<void> {
  checked = Date.now()
  await registration?.update().catch(() => undefined)
}

/** Lets the waiting version take over and reloads into it. Without a worker a reload does it. */
export async function applyUpdate(): Promise<void> {
  const waiting = registration?.waiting
  if (!waiting) {
    location.reload()
    return
  }
  const taken = takenOver()
  waiting.postMessage(activate)
  await taken
  location.reload()
}

/** Resolves with true when another version has taken over, and with false when none has in time. */
const takenOver = (patienceMs = Infinity): Promise<boolean> =>
  new Promise((ok) => {
    navigator.serviceWorker.addEventListener('controllerchange', () => ok(true), { once: true })
    if (patienceMs < Infinity) setTimeout(() => ok(false), patienceMs)
  })

const pause = (ms: number): Promise<void> => new Promise((ok) => setTimeout(ok, ms))

/** Resolves when the page has everything that it begins with. */
const loaded = (): Promise<void> =>
  new Promise((ok) => {
    if (document.readyState === 'complete') ok()
    else addEventListener('load', () => ok(), { once: true })
  })

/** The server no longer speaks with this version: fetch the newer one and reload into it, once. */
export async function forceUpdate(): Promise<void> {
  await checkForUpdate()
  const coming = registration?.installing
  if (coming) {
    await new Promise<void>((ok) => {
      coming.addEventListener('statechange', () => {
        if (coming.state === 'installed' || coming.state === 'redundant') ok()
      })
    })
  }
  if (registration?.waiting) await applyUpdate()
  else updateWaits.value = true
}
