import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, call, configureCalls, problemError } from './call'

afterEach(() => {
  vi.unstubAllGlobals()
  configureCalls({ base: '' })
})

function answerWith(make: (url: string, init: RequestInit) => Response | Promise<Response>): void {
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => make(url, init))
}

const refusal = (status: number, body: unknown, headers = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/problem+json', ...headers } })

describe('call', () => {
  it('sends query and body, leaves out what is undefined, and reads JSON', async () => {
    let seen: [string, RequestInit] | undefined
    answerWith((url, init) => {
      seen = [url, init]
      return Response.json({ ok: true })
    })
    expect(await call('POST', '/api/x', { q: 'a b&c', limit: undefined, after: '' }, { n: 1 })).toEqual({ ok: true })
    expect(seen?.[0]).toBe('/api/x?q=a+b%26c&after=')
    expect(seen?.[1]).toMatchObject({ method: 'POST', body: '{"n":1}', credentials: 'same-origin' })
  })

  it('gives nothing for 204', async () => {
    answerWith(() => new Response(null, { status: 204 }))
    expect(await call('DELETE', '/api/session')).toBeUndefined()
  })

  it('goes where a native shell says, with its token', async () => {
    configureCalls({ base: 'https://parley.example', token: 'T' })
    let seen: [string, RequestInit] | undefined
    answerWith((url, init) => {
      seen = [url, init]
      return Response.json({})
    })
    await call('GET', '/api/about')
    expect(seen?.[0]).toBe('https://parley.example/api/about')
    expect(seen?.[1].headers).toMatchObject({ Authorization: 'Bearer T' })
  })

  it.each([
    ['a problem', () => refusal(429, { title: 'too-many', key: 'sign-in.too-many', field: 'password', retry_after: 30 }), { kind: 'too-many', key: 'sign-in.too-many', field: 'password', retry: 'later', retryAfter: 30 }],
    ['a problem of an unknown kind', () => refusal(422, { title: 'of-tomorrow', key: 'x' }), { kind: 'invalid', key: 'x', retry: 'never' }],
    ['a problem without a key', () => refusal(404, {}), { kind: 'not-found', key: 'error.not-found', retry: 'never' }],
    ['a page of a proxy', () => new Response('<html>', { status: 503, headers: { 'Content-Type': 'text/html', 'Retry-After': '7' } }), { kind: 'unavailable', retry: 'later', retryAfter: 7 }],
    ['a bad gateway', () => new Response('', { status: 502 }), { kind: 'internal', retry: 'later' }],
    ['an ended session', () => refusal(401, { title: 'sign-in', key: 'error.sign-in' }), { kind: 'sign-in', retry: 'after-sign-in' }],
    ['the sign-in page of a hotel', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }), { kind: 'offline', retry: 'later' }],
    ['half an answer', () => new Response('{"a":', { headers: { 'Content-Type': 'application/json' } }), { kind: 'offline', retry: 'later' }],
  ])('refuses after %s', async (_, make, want) => {
    answerWith(make)
    await expect(call('GET', '/api/x')).rejects.toBeInstanceOf(ApiError)
    await expect(call('GET', '/api/x')).rejects.toMatchObject(want)
  })

  it('is offline when nothing answers', async () => {
    answerWith(() => Promise.reject(new TypeError('network')))
    await expect(call('GET', '/api/x')).rejects.toMatchObject({ kind: 'offline', retry: 'later' })
  })

  it('rejects with the caller’s own abort', async () => {
    answerWith((_, init) => new Promise((_ok, fail) => init.signal?.addEventListener('abort', () => fail(new DOMException('gone', 'AbortError')))))
    const gone = new AbortController()
    const asked = call('GET', '/api/x', {}, undefined, gone.signal)
    gone.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('gives up after 20 s', async () => {
    vi.useFakeTimers()
    answerWith((_, init) => new Promise((_ok, fail) => init.signal?.addEventListener('abort', () => fail(new DOMException('gone', 'AbortError')))))
    const asked = call('GET', '/api/x').catch((cause: unknown) => cause)
    await vi.advanceTimersByTimeAsync(20_000)
    vi.useRealTimers()
    expect(await asked).toMatchObject({ kind: 'offline' })
  })
})

describe('problemError', () => {
  it('takes nothing from the prototype for a kind', () => {
    expect(problemError({ title: 'constructor' as never }, 400).kind).toBe('invalid')
  })
})
