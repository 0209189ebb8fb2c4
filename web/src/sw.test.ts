// The service worker against a cache and a network in memory.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

interface Waiting {
  waitUntil(done: Promise<unknown>): void
}
type Listener = (event: Record<string, unknown> & Partial<Waiting>) => void

const origin = 'https://parley.test'
const shell = ['/', '/assets/app-1.js']

let caches: Map<string, Map<string, Response>>
let listeners: Map<string, Listener>
let network: (path: string) => Response
let asked: string[]
let skipped: number

const ours = (text: string, build = 'B1'): Response => new Response(text, { headers: { 'Parley-Build': build } })

beforeEach(async () => {
  caches = new Map()
  listeners = new Map()
  asked = []
  skipped = 0
  network = (path) => ours(`net ${path}`)
  const path = (key: string | Request): string => new URL(typeof key === 'string' ? key : key.url, origin).pathname
  const open = async (name: string): Promise<unknown> => {
    const cache = caches.get(name) ?? new Map<string, Response>()
    caches.set(name, cache)
    return { put: async (key: string, r: Response) => void cache.set(path(key), r) }
  }
  vi.stubGlobal('__SHELL__', shell)
  vi.stubGlobal('__BUILD__', 'B1')
  vi.stubGlobal('caches', {
    open,
    delete: async (name: string) => caches.delete(name),
    keys: async () => [...caches.keys()],
    match: async (key: string | Request, { cacheName }: { cacheName: string }) => caches.get(cacheName)?.get(path(key))?.clone(),
  })
  vi.stubGlobal('fetch', async (key: string | Request) => {
    asked.push(path(key))
    return network(path(key))
  })
  vi.stubGlobal('self', {
    addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
    location: { origin },
    clients: { claim: async () => undefined },
    skipWaiting: async () => void skipped++,
  })
  vi.resetModules()
  const worker = './sw'
  await import(/* @vite-ignore */ worker)
})
afterEach(() => vi.unstubAllGlobals())

async function wait(name: string, event: Record<string, unknown> = {}): Promise<void> {
  const pending: Promise<unknown>[] = []
  listeners.get(name)?.({ ...event, waitUntil: (done) => pending.push(done) })
  await Promise.all(pending)
}

/** The answer to a request; undefined when the worker leaves it to the browser. */
async function open(target: string, mode = 'no-cors', method = 'GET'): Promise<string | undefined> {
  let answer: Promise<Response> | undefined
  const request = { url: new URL(target, origin).href, mode, method }
  listeners.get('fetch')?.({ request, respondWith: (r: Promise<Response>) => (answer = r) })
  return answer && (await answer).text()
}

describe('installing', () => {
  it('keeps the whole shell', async () => {
    await wait('install')
    expect([...(caches.get('parley-shell-B1')?.keys() ?? [])].sort()).toEqual(shell)
    expect(skipped).toBe(0)
  })

  it.each([
    ['a page of the network', () => new Response('<html>sign in to the Wi-Fi')],
    ['another build', () => ours('newer', 'B2')],
    ['an error', () => new Response('', { status: 500 })],
  ])('takes nothing when there is %s', async (_, make) => {
    network = (path) => (path === '/' ? make() : ours(path))
    await expect(wait('install')).rejects.toThrow()
    expect(caches.size).toBe(0)
  })

  it('waits until the app lets it take over', async () => {
    await wait('message', { data: 'something else' })
    expect(skipped).toBe(0)
    await wait('message', { data: 'activate' })
    expect(skipped).toBe(1)
  })

  it('removes the shells of other builds and nothing else', async () => {
    for (const name of ['parley-shell-B0', 'parley-photos', 'other']) caches.set(name, new Map())
    await wait('install')
    await wait('activate')
    expect([...caches.keys()].sort()).toEqual(['other', 'parley-photos', 'parley-shell-B1'])
  })
})

describe('serving', () => {
  beforeEach(async () => {
    await wait('install')
    asked.length = 0
  })
  const down = (): Response => {
    throw new TypeError('network')
  }

  it.each([
    ['the app', '/', 'navigate'],
    ['the app by name', '/index.html', 'navigate'],
    ['a file of the shell', '/assets/app-1.js', 'no-cors'],
  ])('%s from the device, whatever the network says', async (_, target, mode) => {
    network = () => new Response('<html>sign in to the Wi-Fi')
    expect(await open(target, mode)).toMatch(/^net \//)
    network = down
    expect(await open(target, mode)).toMatch(/^net \//)
    expect(asked).toEqual([])
  })

  it.each([
    ['the API', '/api/about', 'cors', 'GET'],
    ['the API, opened', '/api/openapi.json', 'navigate', 'GET'],
    ['a change', '/', 'navigate', 'POST'],
    ['another origin', 'https://elsewhere.test/', 'navigate', 'GET'],
    ['a file that is no part of the shell', '/assets/call-2.js', 'no-cors', 'GET'],
  ])('leaves %s alone', async (_, target, mode, method) => {
    expect(await open(target, mode, method)).toBeUndefined()
  })

  it('any other page from the server, or the app without it', async () => {
    network = () => new Response('a page of the server')
    expect(await open('/trust', 'navigate')).toBe('a page of the server')
    network = down
    expect(await open('/trust', 'navigate')).toBe('net /')
  })

  it('from the network when the browser has dropped the cache', async () => {
    caches.clear()
    network = () => ours('fresh')
    expect(await open('/', 'navigate')).toBe('fresh')
  })
})
