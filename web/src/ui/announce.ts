// What a screen reader is told when nothing that has the focus changed.
import { computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { addedKnown, addedMe, bound, chats, person, phase, session, type ChatSummary } from '../core'
import { text } from '../text/text'
import { route } from './router'

const spoken = signal('')

/** announcement stands in the one polite live region of the app. */
export const announcement: ReadonlySignal<string> = spoken

/** announce says something once. The same words said again are said again: a no-break space makes them differ. */
export function announce(words: string): void {
  spoken.value = words === spoken.peek() ? `${words}\u00a0` : words
}

const shown = signal('')
let fading: ReturnType<typeof setTimeout> | undefined

/** complaint is a failure that belongs to no field or screen; it is shown over everything for a while, and spoken. */
export const complaint: ReadonlySignal<string> = shown

/** complain shows that something did not work. */
export function complain(words: string): void {
  shown.value = words
  clearTimeout(fading)
  fading = setTimeout(() => (shown.value = ''), 8_000)
}

/** Offer is something that was done and can be undone for a while. */
export interface Offer { readonly words: string; readonly action: string; readonly run: () => void }
const offered = signal<Offer | undefined>(undefined)
let lapsing: ReturnType<typeof setTimeout> | undefined
const offerMs = 12_000
/** An offer that somebody is about to take stays this long at most. */
const heldMs = 60_000

/** offer is what can be undone at the moment. */
export const offer: ReadonlySignal<Offer | undefined> = offered

/** hold keeps the offer longer while somebody is about to take it; let go, it lapses. */
export function hold(on: boolean): void {
  clearTimeout(lapsing)
  lapsing = setTimeout(() => (offered.value = undefined), on ? heldMs : offerMs)
}

/** forget leaves nothing of what was said and offered. */
function forget(): void {
  clearTimeout(fading)
  clearTimeout(lapsing)
  shown.value = spoken.value = ''
  offered.value = undefined
}

/** followSession leaves nothing of one person to the next who signs in on this device. */
function followSession(): () => void {
  const device = computed(() => (phase.value === 'ready' ? session.value?.device : undefined))
  return effect(() => {
    void device.value
    untracked(forget)
  })
}

/** offerUndo says what was done, with a way back for whoever is signed in now, and for nobody else. */
export function offerUndo(words: string, undo: () => Promise<void>, failed: (error: unknown) => string): void {
  const back = bound(undo)
  offered.value = {
    words,
    action: text('undo'),
    run: () => {
      offered.value = undefined
      back().then(() => announce(text('undo.done')), (error: unknown) => complain(failed(error)))
    },
  }
  hold(false)
}

/** arrived picks the conversations with a new unread message, leaving out the one on screen: its own log speaks. */
export function arrived(before: ReadonlyMap<string, number>, rows: readonly ChatSummary[], open: string | undefined): ChatSummary[] {
  return rows.filter((row) => row.conversation !== open && row.unread > (before.get(row.conversation) ?? 0))
}

/** How long a name is waited for before somebody is announced without it. */
const nameMs = 3_000

/** named resolves with the name of somebody whose row may still be on its way. */
function named(id: string): Promise<string> {
  const row = person(id)
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(text('person.unknown')), nameMs)
    const stop = effect(() => {
      const name = row.value?.display_name
      if (name !== undefined) queueMicrotask(() => done(name))
    })
    function done(name: string): void {
      clearTimeout(timer)
      stop()
      resolve(name)
    }
  })
}

// Whoever has added me since the app was opened; what waited at the start shows as a number.
function speakAdded(): () => void {
  let before: ReadonlySet<string> | undefined
  return effect(() => {
    const now = addedMe.value
    if (!addedKnown.value) {
      before = undefined
      return
    }
    const news = before && now.find((n) => !before?.has(n.key))
    before = new Set(now.map((n) => n.key))
    if (news) untracked(() => void named(news.person).then((name) => addedMe.peek().includes(news) && announce(text('added.one', { name }))))
  })
}

/** startAnnouncing speaks arriving messages, and who adds one. The rows that are there at the start are not news. */
export function startAnnouncing(): () => void {
  const stops = [followSession(), speakAdded(), speakMessages()]
  return () => {
    for (const stop of stops) stop()
  }
}

function speakMessages(): () => void {
  let before: ReadonlyMap<string, number> | undefined
  return effect(() => {
    const rows = chats.value
    const { section, rest } = route.peek()
    const news = before === undefined ? [] : arrived(before, rows, section === 'chats' ? rest[0] : undefined)
    before = new Map(rows.map((row) => [row.conversation, row.unread]))
    const [first] = news
    if (!first) return
    const from = person(first.person).peek()?.display_name ?? text('person.unknown')
    announce(first.unknown ? text('announce.message-unknown', { from }) : text('announce.message', { from, text: first.text }))
  })
}
