// Where the app is: the hash of the address, as a section and what is opened in it. The browser's own history is the only stack.
import { signal } from '@preact/signals'

export const tabs = ['contacts', 'chats', 'phone', 'info'] as const
export type Tab = (typeof tabs)[number]
/** Section is a tab, or a page that needs no session. */
export type Section = Tab | 'privacy' | 'forgotten' | 'invitation' | 'admin'

/** Route: `#/chats/p3.p17` is section chats, rest [p3.p17]. */
export interface Route { readonly section: Section; readonly rest: readonly string[] }

const sections: readonly string[] = [...tabs, 'privacy', 'forgotten', 'invitation', 'admin']
export const isTab = (s: string): s is Tab => (tabs as readonly string[]).includes(s)
const isSection = (s: string): s is Section => sections.includes(s)

/** decode never throws: an address is whatever somebody typed. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** parse reads a hash. Anything it does not know is the Contacts tab. */
export function parse(hash: string): Route {
  const [section = '', ...rest] = hash.replace(/^#\/?/, '').split('/').filter((p) => p !== '').map(decode)
  return isSection(section) ? { section, rest } : { section: 'contacts', rest: [] }
}

/** href is the inverse of parse. */
export const href = (section: Section, ...rest: readonly string[]) => `#/${[section, ...rest].map(encodeURIComponent).join('/')}`

/** cardPath reads the path by which other programs open a contact card: `/people/ADDRESS`. */
export function cardPath(path: string): string | undefined {
  const match = /^\/people\/([^/]+)\/?$/.exec(path)
  return match?.[1] === undefined ? undefined : decode(match[1])
}

/** Motion is how a screen comes in. */
export type Motion = 'push' | 'pop' | 'none'

/** motion compares two routes: deeper is a push, shallower a pop, and another section or a sibling simply appears. */
export function motion(from: Route, to: Route): Motion {
  if (from.section !== to.section || from.rest.length === to.rest.length) return 'none'
  return to.rest.length > from.rest.length ? 'push' : 'pop'
}

/** route is where the app is now. It changes only through the browser's history. */
export const route = signal<Route>({ section: 'contacts', rest: [] })

/** came is the hash that stood before this history entry, if the app made the entry; a back link then goes back instead of forward. */
interface State { readonly came?: string }

/** go opens a place. With replace it takes the place of the current one in the history. */
export function go(to: string, replace = false): void {
  if (!replace) {
    location.hash = to
    return
  }
  history.replaceState(history.state ?? {}, '', to)
  dispatchEvent(new HashChangeEvent('hashchange', { oldURL: location.href, newURL: location.href }))
}

/** back goes to a parent place: through the history when that is where the person came from, so that the browser's gesture agrees. */
export function back(parent: string): void {
  if ((history.state as State | null)?.came === parent) history.back()
  else go(parent, true)
}

/**
 * start follows the address bar. `change` is asked to apply each new route, so that it can animate; the route must be set before it
 * returns or resolves. The result ends the following.
 */
export function start(change: (next: Route, how: Motion, left: string) => void): () => void {
  const who = cardPath(location.pathname)
  if (who !== undefined) history.replaceState(null, '', `/${href('contacts', who)}`)
  route.value = parse(location.hash)
  let here = location.hash
  const follow = () => {
    const left = here
    here = location.hash
    if (history.state === null && left !== here) history.replaceState({ came: left || href('contacts') } satisfies State, '')
    const next = parse(here)
    change(next, motion(route.peek(), next), left)
  }
  addEventListener('hashchange', follow)
  return () => removeEventListener('hashchange', follow)
}
