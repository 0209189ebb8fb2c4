// The administrator's operations. To everybody else each of them is absent.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { getDirectory, syncDirectory, type DirectoryState } from '../api.gen'
import { ApiError, keep, kept, session } from '../core'

export type { DirectoryState }

const administers = signal(false)

/** isAdministrator tells whether the signed-in person has the administrator's pages; false until the server has been asked. */
export const isAdministrator: ReadonlySignal<boolean> = administers

let asked: string | undefined

/** A refusal is not asked about again for so long, even when the page is loaded anew. */
const refusedMs = 24 * 60 * 60_000
interface Refused { readonly device: string; readonly at: number }

/** askAdministrator finds it out, once a session; whoever is none is asked about once a day. */
export function askAdministrator(): void {
  const device = session.peek()?.device
  if (device === undefined || device === asked) return
  asked = device
  void ask(device)
}

async function ask(device: string): Promise<void> {
  const refused = await kept<Refused>('administrator').catch(() => undefined)
  if (refused?.device === device && Math.abs(Date.now() - refused.at) < refusedMs) return
  if (session.peek()?.device !== device) return
  try {
    await directory()
    administers.value = session.peek()?.device === device
  } catch (reason) {
    if (session.peek()?.device !== device) return
    // Whoever could not be asked is asked another time.
    if (!(reason instanceof ApiError) || reason.retry === 'later') asked = undefined
    else keep('administrator', { device, at: Date.now() } satisfies Refused)
  }
}

effect(() => {
  if (session.value === undefined) untracked(() => (administers.value = false))
})

/** directory is how the synchronisation with the corporate directory stands. */
export const directory = (signal?: AbortSignal): Promise<DirectoryState> => getDirectory(signal)

/** synchronise begins a complete comparison with the directory. */
export const synchronise = (): Promise<void> => syncDirectory()
