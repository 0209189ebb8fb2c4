// The service worker: keeps the shell of the app on the device, so that it
// starts without the network. It never touches the API and holds no person's
// data. It serves the shell it was built with and no other: a page and the code
// it loads later are always of one build.
declare const self: ServiceWorkerGlobalScope

/** Filled in by the build: what the shell consists of, and its build. */
declare const __SHELL__: readonly string[]
declare const __BUILD__: string

const prefix = 'parley-shell-'
const cacheName = prefix + __BUILD__
/** The server puts its build into this header of everything it serves for the app. */
const marker = 'Parley-Build'

self.addEventListener('install', (event) => event.waitUntil(install()))

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOld().then(() => self.clients.claim()))
})

// A new version waits until the app says that nothing is lost by taking over.
self.addEventListener('message', (event) => {
  if (event.data === 'activate') event.waitUntil(self.skipWaiting())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return
  if (url.pathname === '/' || url.pathname === '/index.html') event.respondWith(shell(request))
  else if (__SHELL__.includes(url.pathname)) event.respondWith(kept(request, url.pathname))
  else if (request.mode === 'navigate') event.respondWith(page(request))
})

// Everything or nothing, and only from the server whose build this is: the
// sign-in page of a hotel's network answers every address with 200.
async function install(): Promise<void> {
  const cache = await caches.open(cacheName)
  try {
    await Promise.all(
      __SHELL__.map(async (path) => {
        const response = await fetch(path, { cache: 'no-cache', credentials: 'omit' })
        if (!ours(response)) throw new Error(`${path} is not of build ${__BUILD__}`)
        await cache.put(path, response)
      }),
    )
  } catch (cause) {
    await caches.delete(cacheName)
    throw cause
  }
}

const ours = (response: Response): boolean => response.ok && !response.redirected && response.headers.get(marker) === __BUILD__

async function removeOld(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(names.filter((n) => n.startsWith(prefix) && n !== cacheName).map((n) => caches.delete(n)))
}

// The kept shell first: it starts at once, whatever the network is. A newer
// build reaches the device as a new worker.
async function shell(request: Request): Promise<Response> {
  return (await caches.match('/', { cacheName })) ?? fetch(request)
}

async function kept(request: Request, path: string): Promise<Response> {
  return (await caches.match(path, { cacheName })) ?? fetch(request)
}

// Any other page of the server: the server's answer, or the app without it.
async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (cause) {
    const response = await caches.match('/', { cacheName })
    if (!response) throw cause
    return response
  }
}

// Makes this a module, so that its `self` is its own.
export {}
