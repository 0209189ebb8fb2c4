// The service worker: installed where the browser has one, replaced when the
// person starts the app again, asks for it, or the server no longer speaks with
// this version. The app works without it.
import { signal } from '@preact/signals'

/** The message that makes a waiting worker take over; sw.ts listens for it. */
const activate = 'activate'
const workerPath = '/sw.js'
const checkEveryMs = 60 * 60_000

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

/** Registers the worker. A version that waits since an earlier visit takes over now, before anything is typed. */
export async function startWorker(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  try {
    registration = await navigator.serviceWorker.register(trustedWorkerUrl(), { updateViaCache: 'none' })
  } catch {
    return // no worker, no offline shell; everything else works
  }
  const found = registration
  checked = Date.now()
  if (found.waiting && navigator.serviceWorker.controller) {
    await applyUpdate()
    return
  }
  found.addEventListener('updatefound', () => {
    const coming = found.installing
    // The first worker of all is no update. WebKit tells that it is installed when it is active already.
    if (!found.active) return
    coming?.addEventListener('statechange', () => {
      if (found.waiting === coming) updateWaits.value = true
    })
  })
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
  const taken = new Promise<void>((ok) => {
    navigator.serviceWorker.addEventListener('controllerchange', () => ok(), { once: true })
  })
  waiting.postMessage(activate)
  await taken
  location.reload()
}

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
