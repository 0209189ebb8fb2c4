// The administrator's operations. To everybody else each of them is absent.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { getDirectory, syncDirectory, type DirectoryState } from '../api.gen'
import { ApiError, session } from '../core'

export type { DirectoryState }

const administers = signal(false)

/** isAdministrator tells whether the signed-in person has the administrator's pages; false until the server has been asked. */
export const isAdministrator: ReadonlySignal<boolean> = administers

let asked: string | undefined

/** askAdministrator finds it out, once a session. */
export function askAdministrator(): void {
  const device = session.peek()?.device
  if (device === undefined || device === asked) return
  asked = device
  directory().then(
    () => (administers.value = asked === session.peek()?.device),
    (reason: unknown) => {
      // Whoever could not be asked is asked another time.
      if (!(reason instanceof ApiError) || reason.retry === 'later') asked = undefined
    },
  )
}

effect(() => {
  if (session.value === undefined) untracked(() => (administers.value = false))
})

/** directory is how the synchronisation with the corporate directory stands. */
export const directory = (signal?: AbortSignal): Promise<DirectoryState> => getDirectory(signal)

/** synchronise begins a complete comparison with the directory. */
export const synchronise = (): Promise<void> => syncDirectory()
