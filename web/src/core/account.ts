// The signed-in person on this tab: their store and their place among the tabs.
import { batch, signal } from '@preact/signals'
import { getMarks, getSession, sync } from '../api.gen'
import { realClock } from './clock'
import { build, timeZone, visible } from './device'
import { clearLive, connectionState, flightIds, forgetPresence, presenceOf, setTyping } from './live'
import { dialSocket } from './socket'
import { reportTrouble } from './storage'
import type { Database } from './store/database'
import { History } from './store/history'
import { Queue } from './store/queue'
import { Shelf } from './store/shelf'
import { browserLocks, openChannel } from './tabs/browser'
import { Hub } from './tabs/hub'
import type { News } from './tabs/messages'
import type { Session } from './types'

export interface Account {
  readonly session: Session
  readonly me: string
  readonly history: History
  readonly queue: Queue
  readonly shelf: Shelf
  readonly hub: Hub
  readonly db: Database
  /** Told of everything that the owner tells. */
  readonly hear: Set<(news: News) => void>
  /** Ends what was begun for this person. */
  readonly ends: (() => void)[]
}

export const current = signal<Account | undefined>(undefined)

/** How often the server hears that the person is there. */
const activeEveryMs = 60_000

/** Opens the tab for a person whose database is open. */
export function openAccount(session: Session, db: Database): Account {
  const me = session.person.id
  const damaged = (): void => reportTrouble('damaged')
  const hear = new Set<(news: News) => void>()
  const hub = new Hub(
    {
      me,
      build: build(),
      clock: realClock,
      dial: dialSocket,
      api: { sync: (after) => sync({ after }), marks: (after) => getMarks({ after }), session: () => getSession() },
      locks: browserLocks,
      channel: () => openChannel(me),
      db,
      damaged,
      hear: (news) => {
        live(news)
        for (const listener of hear) listener(news)
      },
    },
    { watch: [me], visible: visible(), active: true, timeZone: timeZone() },
  )
  const account: Account = {
    session,
    me,
    db,
    hub,
    hear,
    history: new History(db, me, damaged),
    queue: new Queue(db, damaged),
    shelf: new Shelf(db),
    ends: [],
  }
  account.ends.push(watchPage(hub))
  connectionState.value = 'connecting'
  current.value = account
  return account
}

/** Leaves the person's store: nothing of it is in use afterwards. */
export function closeAccount(): void {
  const account = current.value
  if (!account) return
  account.hub.stop()
  for (const end of account.ends) end()
  account.hear.clear()
  account.db.close()
  batch(() => {
    current.value = undefined
    clearLive()
  })
}

function live(news: News): void {
  switch (news.news) {
    case 'connection':
      connectionState.value = news.state
      if (news.state === 'offline') forgetPresence()
      return
    case 'flight':
      flightIds.value = new Set(news.ids)
      return
    case 'presence':
      presenceOf(news.person).value = news.presence
      return
    case 'typing':
      setTyping(news.conversation, news.person, news.on)
      return
    case 'trouble':
      reportTrouble(news.trouble)
  }
}

// Tells the hub when the page comes and goes and when it is touched.
function watchPage(hub: Hub): () => void {
  const off = new AbortController()
  const options = { signal: off.signal, passive: true, capture: true }
  let touched = Date.now()
  const touch = (): void => {
    if (Date.now() - touched < activeEveryMs) return
    touched = Date.now()
    hub.setStatus({ active: true })
  }
  document.addEventListener('visibilitychange', () => {
    // Whoever brings the app to the screen is there.
    hub.setStatus({ visible: visible(), active: visible(), timeZone: timeZone() })
    if (visible()) hub.wake()
  }, options)
  // A page that the browser puts aside must not keep the lock; brought back, it joins again.
  addEventListener('pagehide', () => hub.stop(), options)
  addEventListener('pageshow', () => {
    hub.start()
    hub.wake()
  }, options)
  addEventListener('online', () => hub.wake(), options)
  addEventListener('pointerdown', touch, options)
  addEventListener('keydown', touch, options)
  return () => off.abort()
}
