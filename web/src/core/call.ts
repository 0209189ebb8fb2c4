// The only place that talks HTTP. It turns every answer that is not a success,
// and every failure to get one, into an ApiError.

import type { Problem, ProblemKind } from '../api.gen'

/** The closed list of refusals (docs/protocol.md §1.2), and `offline`: no answer came. */
export type RefusalKind = ProblemKind | 'offline'

/** What to do about a refusal. */
export type Retry = Problem['retry']

/** A refusal. `key` is a text key of the catalogue, `field` the input at fault, `retryAfter` in seconds. */
export class ApiError extends Error {
  constructor(
    readonly kind: RefusalKind,
    readonly key: string,
    readonly field?: string,
    readonly retry: Retry = 'never',
    readonly retryAfter?: number,
  ) {
    super(`${kind}: ${key}`)
    this.name = 'ApiError'
  }
}

const kinds: Record<RefusalKind, Retry> = {
  invalid: 'never',
  'too-large': 'never',
  unsupported: 'never',
  'sign-in': 'after-sign-in',
  forbidden: 'never',
  'not-found': 'never',
  conflict: 'never',
  'too-many': 'later',
  unavailable: 'later',
  full: 'later',
  internal: 'later',
  offline: 'later',
}

const statusKinds: Record<number, RefusalKind> = {
  400: 'invalid',
  401: 'sign-in',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported',
  422: 'invalid',
  429: 'too-many',
  503: 'unavailable',
  507: 'full',
}

/** Where the server is, and how a native shell proves who it is. */
export interface CallSettings {
  /** Origin of the server without a slash at the end; empty: the page's own. */
  base: string
  /** Bearer token of a native shell; a browser has its cookie. */
  token?: string
}

const settings: CallSettings = { base: '' }

/** For a native shell, whose page has another origin than the server. */
export function configureCalls(to: CallSettings): void {
  settings.base = to.base
  if (to.token === undefined) delete settings.token
  else settings.token = to.token
}

/** The address of a path on the server. */
export const serverUrl = (path: string): string => settings.base + path

const timeoutMs = 20_000

/** Makes an ApiError of a problem document, whatever is missing in it. */
export function problemError(problem: Partial<Problem>, status = problem.status ?? 500): ApiError {
  const named = problem.title
  const kind = named !== undefined && Object.hasOwn(kinds, named) ? named : (statusKinds[status] ?? (status >= 500 ? 'internal' : 'invalid'))
  return new ApiError(kind, problem.key ?? `error.${kind}`, problem.field, kinds[kind], problem.retry_after)
}

/**
 * Calls one operation. `query` leaves out what is undefined. It rejects with an
 * ApiError, or with the signal's AbortError when the caller gave up.
 */
export async function call<T>(
  method: string,
  path: string,
  query: Record<string, unknown> = {},
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const pairs = Object.entries(query).filter(([, v]) => v !== undefined)
  const search = String(new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])))
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (settings.token) headers['Authorization'] = `Bearer ${settings.token}`
  const limit = deadline(signal)
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store', signal: limit.signal }
  if (body !== undefined) init.body = JSON.stringify(body)
  let response: Response
  let text: string
  try {
    response = await fetch(serverUrl(path) + (search && `?${search}`), init)
    text = await response.text()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError('offline', 'error.offline', undefined, 'later')
  } finally {
    limit.done()
  }
  return answer<T>(response, text)
}

// The answer must be ours: the sign-in page of a hotel's network also says 200.
function answer<T>(response: Response, text: string): T {
  const type = response.headers.get('Content-Type') ?? ''
  const json = /^application\/(problem\+)?json/.test(type) ? parse(text) : undefined
  if (!response.ok) {
    const seconds = Number(response.headers.get('Retry-After')) || undefined
    throw problemError((json ?? { retry_after: seconds }) as Partial<Problem>, response.status)
  }
  if (text === '' && !type.startsWith('text/html')) return undefined as T
  if (json === undefined) throw new ApiError('offline', 'error.offline', undefined, 'later')
  return json as T
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// AbortSignal.any would do this; Safari has it only since 17.4.
function deadline(signal: AbortSignal | undefined): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = setTimeout(abort, timeoutMs)
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}
