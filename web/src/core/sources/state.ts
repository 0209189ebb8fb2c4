// What the start of the app knows of the device's contacts: whether there are
// any. Everything else is loaded when there are.
import { effect, signal, untracked } from '@preact/signals'
import { current, type Account } from '../account'
import { read, result } from '../store/idb'
import type { DeviceBook } from './book'

/** The device's contacts; undefined while there are none, or they are not read yet. */
export const deviceBook = signal<DeviceBook | undefined>(undefined)

/** Whether what is kept on this device has been read, if there is anything: what is not in `deviceBook` then is not there. */
export const sourcesRead = signal(false)

/** The part that is loaded later. */
export const sourcesEngine = () => import('./engine')

/** Whether an id is that of a card of the device, which the server must not hear of. */
export const isDeviceId = (id: string): boolean => /^(?:device|address-book):/.test(id)

/** Follows the signed-in person. Called once, before the core starts. */
export function followSources(): void {
  effect(() => {
    const account = current.value
    untracked(() => {
      deviceBook.value = undefined
      sourcesRead.value = false
      if (!account) return
      // The first contacts may come in another tab; once the rest is loaded, it listens itself.
      account.hear.add((news) => {
        if (news.news === 'sources' && !deviceBook.peek()) void sourcesEngine().then((e) => e.ready()).catch(() => undefined)
      })
      void begin(account)
        .catch(() => undefined)
        .finally(() => {
          if (current.peek() === account) sourcesRead.value = true
        })
    })
  })
}

async function begin(account: Account): Promise<void> {
  // Counted and not opened: whoever has none needs nothing of the store.
  const records = await result(read(account.db.idb, 'sources').objectStore('sources').count())
  if (records > 0) await (await sourcesEngine()).ready()
}
