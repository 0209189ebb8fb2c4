// A page in a test: the globals of a browser, a server that signs people in,
// and the core loaded afresh, as after a reload.
import { vi } from 'vitest'
import { toBase64 } from '../bytes'
import type { SocketHandlers } from '../sync/ports'
import type { Problem, WireSession } from '../wire'
import { historyKey } from './device'
import { FakeServer, problem, type FakeConnection } from './server'
import { FakeLocks } from './tabs'

export type Core = typeof import('../index')

/** The server's side of HTTP, with one cookie for the whole browser. */
export class FakeSite {
  readonly server = new FakeServer()
  /** Sessions by device; the cookie names one. */
  readonly sessions = new Map<string, WireSession>()
  cookie: string | undefined
  down = false
  readonly calls: string[] = []
  keyOf: Record<string, number> = { p1: 1, p2: 2 }
  starts: WireSession['starts'] = 'waiting'
  private devices = 0

  private signIn(address: string): WireSession {
    const person = address.startsWith('ada') ? 'p1' : 'p2'
    const device = `d${++this.devices}`
    const session: WireSession = {
      person: { id: person, display_name: address, address },
      address,
      device,
      device_class: 'desktop',
      expires: '2027-01-01T00:00:00.000Z',
      auth_methods: ['pwd'],
      auth_time: '2026-11-22T10:00:00.000Z',
      history_key: toBase64(historyKey(this.keyOf[person] ?? 9)),
      cursor: '',
      starts: this.starts,
      epoch: 'epoch1',
    }
    this.sessions.set(device, session)
    this.cookie = device
    this.server.person = person
    return session
  }

  readonly fetch = async (input: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input, 'https://parley.test')
    const name = `${init.method ?? 'GET'} ${url.pathname}`
    this.calls.push(name)
    if (this.down) throw new TypeError('network')
    const session = this.cookie === undefined ? undefined : this.sessions.get(this.cookie)
    const body = init.body ? (JSON.parse(String(init.body)) as Record<string, string>) : {}
    const json = (value: unknown): Response => Response.json(value)
    const refusal = (p: Problem, status: number): Response =>
      new Response(JSON.stringify(p), { status, headers: { 'Content-Type': 'application/problem+json' } })
    if (name === 'GET /api/about') {
      return json({ build: 'b', domains: ['parley.test'], features: [], name: 'Test', protocol: 1, secure: true })
    }
    if (name === 'POST /api/session') {
      if (body['password'] !== 'right') return refusal(problem('sign-in', 'never', 'sign-in.wrong'), 401)
      return json(this.signIn(body['address'] ?? ''))
    }
    if (!session) return refusal(problem('sign-in', 'after-sign-in', 'error.sign-in'), 401)
    switch (name) {
      case 'GET /api/session':
        return json(session)
      case 'DELETE /api/session':
        this.sessions.delete(session.device)
        this.cookie = undefined
        return new Response(null, { status: 204 })
      case 'GET /api/sync':
        return json(await this.server.sync(url.searchParams.get('after') ?? ''))
      case 'GET /api/marks':
        return json({ marks: [] })
      default:
        return refusal(problem('not-found', 'never'), 404)
    }
  }

  /** The constructor that stands for WebSocket. */
  socketClass(): unknown {
    const site = this
    return class {
      static readonly OPEN = 1
      readyState = 0
      onopen?: () => void
      onmessage?: (e: { data: string }) => void
      onclose?: (e: { code: number }) => void
      private readonly connection: FakeConnection
      constructor() {
        site.server.down = site.down || site.cookie === undefined
        const handlers: SocketHandlers = {
          open: () => {
            this.readyState = 1
            this.onopen?.()
          },
          frame: (data) => this.onmessage?.({ data }),
          closed: (code) => {
            this.readyState = 3
            this.onclose?.({ code })
          },
        }
        this.connection = site.server.dial(handlers) as FakeConnection
      }
      send(text: string): void {
        this.connection.send(text)
      }
      close(): void {
        this.connection.close()
      }
    }
  }
}

// A BroadcastChannel of this page only: the test before must not be heard.
function channelClass(): unknown {
  const open = new Set<{ name: string; onmessage: ((e: { data: unknown }) => void) | undefined }>()
  return class {
    onmessage: ((e: { data: unknown }) => void) | undefined
    constructor(readonly name: string) {
      open.add(this)
    }
    postMessage(message: unknown): void {
      const data = structuredClone(message)
      for (const other of open) {
        if (other === this || other.name !== this.name) continue
        queueMicrotask(() => open.has(other) && other.onmessage?.({ data }))
      }
    }
    close(): void {
      open.delete(this)
    }
  }
}

let leave = (): unknown => undefined

/** Every page of this test goes away. */
export function leavePages(): void {
  leave()
}

/** Gives the process what a page has. `locks` and IndexedDB outlive a reload, as in a browser. */
export function stubPage(site: FakeSite, locks = new FakeNamedLocks()): FakeNamedLocks {
  const target = new EventTarget()
  const listen = { addEventListener: target.addEventListener.bind(target), removeEventListener: target.removeEventListener.bind(target) }
  const stubs: Record<string, unknown> = {
    isSecureContext: true,
    fetch: site.fetch,
    WebSocket: site.socketClass(),
    location: new URL('https://parley.test/'),
    document: { visibilityState: 'visible', querySelector: () => null, ...listen },
    navigator: { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/153.0', maxTouchPoints: 0, locks, storage: { persisted: async () => true } },
    addEventListener: listen.addEventListener,
    matchMedia: () => ({ matches: false }),
    BroadcastChannel: channelClass(),
  }
  leave = () => target.dispatchEvent(new Event('pagehide'))
  for (const [name, value] of Object.entries(stubs)) vi.stubGlobal(name, value)
  return locks
}

/** Loads the core as a page does. Several may run at once: they are tabs. */
export async function loadCore(): Promise<Core> {
  vi.resetModules()
  const core = await import('../index')
  await core.boot()
  return core
}

/** Web Locks by name. */
export class FakeNamedLocks {
  private readonly locks = new Map<string, FakeLocks>()

  async request(name: string, ...rest: unknown[]): Promise<void> {
    const held = rest.at(-1) as () => Promise<void>
    const options = rest.length > 1 ? (rest[0] as { signal?: AbortSignal; steal?: boolean }) : {}
    const lock = this.locks.get(name) ?? new FakeLocks()
    this.locks.set(name, lock)
    await lock.request(name, options, async () => held())
  }
}
