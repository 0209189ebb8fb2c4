// The browser's own Contact Picker, where there is one (Chrome on Android): the person chooses, and the page gets only that.
import type { Parsed } from '../core'

interface Picked { readonly name?: readonly string[]; readonly email?: readonly string[]; readonly tel?: readonly string[] }
interface ContactsManager { select(properties: readonly string[], options: { multiple: boolean }): Promise<readonly Picked[]> }

declare global {
  interface Navigator {
    readonly contacts?: ContactsManager
  }
}

/** picks tells whether contacts can be chosen here. */
export const picks = (): boolean => typeof navigator.contacts?.select === 'function'

/** pickContacts lets the person choose. Nothing is chosen where they cancel. */
export async function pickContacts(): Promise<Parsed> {
  const chosen = (await navigator.contacts?.select(['name', 'email', 'tel'], { multiple: true })) ?? []
  const cards = chosen.flatMap(({ name = [], email = [], tel = [] }) => {
    const shown = [name[0], email[0], tel[0]].find((s) => s !== undefined && s.trim() !== '')
    if (shown === undefined) return []
    return [{ name: shown.trim(), mails: email.filter((m) => m !== ''), phones: tel.filter((n) => n !== '').map((number) => ({ kind: 'other' as const, number })) }]
  })
  return { cards, broken: [] }
}
