// What happens around a change of place: the slide on a phone, the focus, the window's title.
import { effect } from '@preact/signals'
import { phase, unread } from '../core'
import { route, start, type Motion, type Route } from './router'
import { windowTitle } from './title'

const wide = () => matchMedia('(min-width: 900px)').matches
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches

/** rendered resolves when the view has followed its signals: it renders in a microtask, so the next task is late enough. */
const rendered = () => new Promise<void>((done) => setTimeout(done))

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
const patience = 2_000

/** drawn resolves when what is on screen is no stand-in for a part that is still being fetched; it does not wait for long. */
async function drawn(): Promise<void> {
  for (let waited = 0; waited < patience && document.querySelector('[data-later]'); waited += 50) await pause(50)
}

/** focusAfter puts the focus where reading goes on: back on the row that was opened, else on the heading of the new screen. */
async function focusAfter(how: Motion, left: string): Promise<void> {
  const at = location.hash
  await drawn()
  if (location.hash !== at) return
  const row = how === 'pop' ? document.querySelector<HTMLElement>(`.pane a.row[href="${CSS.escape(left)}"]`) : null
  const screen = document.querySelector('.pane.detail') ?? document.querySelector('.pane.list') ?? document
  const focused = document.activeElement
  // A screen that has taken the focus itself, such as a conversation at a desk, keeps it.
  if (!row && focused && focused !== document.body && screen.contains(focused) && focused.matches('input, textarea')) return
  ;(row ?? screen.querySelector<HTMLElement>('h1'))?.focus({ preventScroll: row === null })
}

async function apply(next: Route): Promise<void> {
  route.value = next
  await rendered()
}

/** change brings a new screen in. */
async function change(next: Route, how: Motion, left: string): Promise<void> {
  const root = document.documentElement
  if (how === 'none' || wide() || still() || !('startViewTransition' in document)) {
    await apply(next)
  } else {
    root.classList.add(how)
    const transition = document.startViewTransition(() => apply(next))
    void transition.finished.catch(() => undefined).then(() => root.classList.remove(how))
    await transition.updateCallbackDone
  }
  await focusAfter(how, left)
}

/** startNavigation follows the address bar and keeps the window's title. */
export function startNavigation(): () => void {
  const stop = start((next, how, left) => void change(next, how, left))
  const stopTitle = effect(() => {
    document.title = windowTitle(route.value, phase.value === 'ready', unread.value)
  })
  return () => {
    stop()
    stopTitle()
  }
}
