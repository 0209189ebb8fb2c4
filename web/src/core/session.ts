// Who is signed in: starting, signing in and out, and keeping one person's
// history from the next.
import { batch, signal } from '@preact/signals'
import { getAbout, getSession, signIn as postSession, signOut as deleteSession } from '../api.gen'
import { closeAccount, current, openAccount } from './account'
import { fromBase64 } from './bytes'
import { ApiError } from './call'
import { Backoff, realClock, type Cancel } from './clock'
import { deviceClass, deviceName, secureEnough, timeZone } from './device'
import { askPersist, reportTrouble, storeError } from './storage'
import { Database, deleteOthers, deletePerson, KeyMismatch } from './store/database'
import { DeviceStore, type KeptSession } from './store/device'
import { HistoryWriter } from './store/writer'
import { NewerDatabase } from './store/idb'
import { deriveKeys, type Keys } from './store/seal'
import type { News } from './tabs/messages'
import type { EndReason, Phase, Session, SignInForm } from './types'
import { checkForUpdate, forceUpdate, startWorker, takeWaiting } from './update'
import type { About, WireSession } from './wire'

export const phaseState = signal<Phase>('starting')
export const aboutState = signal<About | undefined>(undefined)
export const sessionState = signal<Session | undefined>(undefined)
export const endedState = signal<EndReason | undefined>(undefined)

/** Held while the cookie or the kept session changes, over all tabs. */
const sessionLock = 'parley-session'

let device: DeviceStore | undefined
let tabs: BroadcastChannel | undefined
let retryLeaving: Cancel | undefined
const leavingWaits = new Backoff(realClock, 5_000, 10 * 60_000)

/** Finds out who is signed in. It never rejects. */
export async function boot(): Promise<void> {
  if (!secureEnough()) {
    phaseState.value = 'insecure'
    void readAbout()
    return
  }
  if (await takeWaiting().catch(() => false)) return
  void startWorker()
  try {
    device = await openDevice()
  } catch (cause) {
    phaseState.value = cause instanceof NewerDatabase ? 'other-tab-upgrade' : 'no-storage'
    return
  }
  aboutState.value = await device.about().catch(() => undefined)
  void readAbout()
  tabs = new BroadcastChannel('parley')
  tabs.onmessage = () => void rejoin()
  addEventListener('online', () => void tellLeaving())
  await resume()
}

async function openDevice(): Promise<DeviceStore> {
  return DeviceStore.open((how) => {
    if (how === 'upgraded') upgradedElsewhere()
    else if (how === 'lost') void rejoin()
  })
}

async function readAbout(): Promise<void> {
  try {
    const about = await getAbout()
    aboutState.value = about
    await device?.keepAbout(about)
  } catch {
    // Offline: what the device has kept stays.
  }
}

// Takes up the session that this device has kept, else the one of the cookie.
async function resume(): Promise<void> {
  const store = device
  if (!store) return
  const kept = await store.session().catch(() => undefined)
  if (kept) {
    if (await enter(kept)) void refresh(kept)
    return
  }
  if (await store.leaving()) {
    signedOut(undefined)
    void tellLeaving()
    return
  }
  await locked(async () => {
    try {
      await adopt(await getSession())
    } catch {
      signedOut(endedState.peek())
    }
  })
}

/** Another tab has signed in or out, or the browser has lost a database: start over. */
async function rejoin(): Promise<void> {
  closeAccount()
  batch(() => {
    endedState.value = undefined
    phaseState.value = 'starting'
  })
  await locked(async () => undefined) // until it is done there
  device?.close()
  device = await openDevice().catch(() => undefined)
  if (device) await resume()
  else phaseState.value = 'no-storage'
}

// Asks the server, once at the start, whether the kept session still stands.
async function refresh({ session, keys }: KeptSession): Promise<void> {
  try {
    const wire = await getSession()
    if (current.peek()?.session.device !== session.device) return
    if (wire.device !== session.device) {
      await anotherSession()
      return
    }
    const fresh = withoutSecrets(wire)
    sessionState.value = fresh
    await device?.signedIn(fresh, keys)
  } catch (cause) {
    const mine = current.peek()?.session.device === session.device
    if (mine && cause instanceof ApiError && cause.kind === 'sign-in') await serverEnded('expired')
  }
}

function withoutSecrets({ history_key: _key, token: _token, cursor: _cursor, ...session }: WireSession): Session {
  return session
}

function signedOut(reason: EndReason | undefined): void {
  batch(() => {
    sessionState.value = undefined
    endedState.value = reason
    phaseState.value = 'signed-out'
  })
}

function upgradedElsewhere(): void {
  closeAccount()
  phaseState.value = 'other-tab-upgrade'
  void checkForUpdate()
}

const locked = async (work: () => Promise<void>): Promise<void> => {
  await navigator.locks.request(sessionLock, work)
}

// --- In

/** Signs in; rejects with an ApiError. */
export async function signIn(form: SignInForm): Promise<void> {
  const store = device
  if (!store) throw new ApiError('unavailable', 'store.failed')
  await locked(async () => {
    // The former session ends first: afterwards nobody could name it any more.
    if (await store.leaving()) await endFormer(store)
    const wire = await postSession({
      address: form.address.trim(),
      password: form.password,
      installation: await store.installation(),
      device_name: deviceName(),
      device_class: deviceClass(),
      time_zone: timeZone(),
    })
    try {
      await adopt(wire)
    } catch (cause) {
      // Half a sign-in is none.
      await store.signedOut(true).catch(() => undefined)
      void tellLeaving()
      throw storeError(cause)
    }
  })
  tabs?.postMessage('session')
  await askPersist()
}

// Makes a session of the server this device's: first the earlier person goes,
// then the store is brought to where the device begins, then it is kept.
async function adopt(wire: WireSession): Promise<void> {
  const store = device
  const historyKey = fromBase64(wire.history_key)
  if (!store || !historyKey) throw new ApiError('internal', 'error.internal')
  const keys = await deriveKeys(historyKey)
  await removeOthers(store, wire.person.id)
  const db = await openStore(wire.person.id, keys)
  try {
    await db.claim()
    const history = new HistoryWriter(db, wire.person.id, () => reportTrouble('damaged'))
    await history.load()
    await history.begin(wire.device, wire.cursor, wire.epoch, wire.starts === 'head')
    await store.signedIn(withoutSecrets(wire), keys)
  } finally {
    db.close()
  }
  await enter({ session: withoutSecrets(wire), keys })
}

/** Deletes what belongs to anybody else: the key first, so that it is unreadable whatever happens next. */
async function removeOthers(store: DeviceStore, person: string): Promise<void> {
  const former = await store.person()
  if (former === undefined || former === person) {
    await deleteOthers(person, [])
    return
  }
  await store.signedOut(false)
  for (const name of (await globalThis.caches?.keys()) ?? []) {
    if (!name.startsWith('parley-shell-')) await caches.delete(name)
  }
  globalThis.localStorage?.clear()
  globalThis.sessionStorage?.clear()
  await deleteOthers(person, [former])
}

async function openStore(person: string, keys: Keys): Promise<Database> {
  const open = (): Promise<Database> =>
    Database.open(person, keys, (how) => {
      if (how === 'upgraded') upgradedElsewhere()
      else void rejoin()
    })
  try {
    return await open()
  } catch (cause) {
    if (!(cause instanceof KeyMismatch)) throw cause
    // The server has no longer the key that sealed this; nobody can read it again.
    await deletePerson(person)
    reportTrouble('unreadable')
    return open()
  }
}

// Opens the app for a person; false when their store cannot be opened.
async function enter(kept: KeptSession): Promise<boolean> {
  try {
    const db = await openStore(kept.session.person.id, kept.keys)
    const account = openAccount(kept.session, db)
    account.hear.add((news) => void heard(news))
    batch(() => {
      sessionState.value = kept.session
      endedState.value = undefined
      phaseState.value = 'ready'
    })
    account.hub.start()
    void askPersist()
    return true
  } catch (cause) {
    storeError(cause)
    if (cause instanceof NewerDatabase) upgradedElsewhere()
    else phaseState.value = 'no-storage'
    return false
  }
}

// --- Out

/** Signs out on this device at once; tells the server when it can. */
export async function signOut(): Promise<void> {
  closeAccount()
  await device?.signedOut(true)
  signedOut(undefined)
  tabs?.postMessage('session')
  void tellLeaving()
}

async function tellLeaving(): Promise<void> {
  const store = device
  retryLeaving?.()
  await locked(async () => {
    try {
      if (!store || !(await store.leaving())) return
      await endFormer(store)
      leavingWaits.reset()
    } catch {
      retryLeaving = realClock.after(leavingWaits.next(), () => void tellLeaving())
    }
  })
}

async function endFormer(store: DeviceStore): Promise<void> {
  try {
    await deleteSession()
  } catch (cause) {
    if (!(cause instanceof ApiError) || cause.kind !== 'sign-in') throw cause
  }
  await store.left()
}

async function heard(news: News): Promise<void> {
  if (news.news === 'ended') await serverEnded(news.reason)
  if (news.news === 'stranger') await anotherSession()
  if (news.news === 'outdated') await forceUpdate()
}

// The history stays, its key goes.
async function serverEnded(reason: EndReason): Promise<void> {
  closeAccount()
  await device?.signedOut(false)
  signedOut(reason)
}

// The cookie belongs to another session than the one that is kept here.
async function anotherSession(): Promise<void> {
  const former = current.peek()?.session.device
  closeAccount()
  await locked(async () => {
    const kept = await device?.session()
    if (kept && kept.session.device === former) await device?.signedOut(false)
  })
  await resume()
}
