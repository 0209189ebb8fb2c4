// The person's own settings, as the server keeps them. They are set at a desk
// and read everywhere, so the device keeps a copy.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { current } from './account'
import { chatList } from './chats'
import { loadContacts } from './contacts'
import { connectionState } from './live'
import { getSettings, setPhones as putPhones, setPictures as putPictures } from './next'
import { account, askAgain } from './people'
import type { Settings } from './wire'

const known = signal<Settings | undefined>(undefined)

/** Undefined until the device or the server has said it. */
export const settings: ReadonlySignal<Settings | undefined> = known

/** Follows the signed-in person. Called once, before the core starts. */
export function followSettings(): void {
  effect(() => {
    const open = current.value
    untracked(() => {
      known.value = undefined
      if (!open) return
      // Changed on another device of one's own: the card has changed too.
      open.hear.add((news) => {
        if (news.news === 'card' && news.person === open.me) void loadSettings()
      })
      void open.shelf.get<Settings>('settings').then(
        (kept) => {
          if (current.peek() === open) known.value ??= kept
        },
        () => undefined,
      )
    })
  })
  effect(() => {
    if (connectionState.value === 'online' && current.value) void untracked(loadSettings)
  })
}

/** Fetches the settings; it never rejects. */
export async function loadSettings(): Promise<void> {
  const open = current.peek()
  if (!open) return
  try {
    const fresh = await getSettings()
    if (current.peek() !== open) return
    known.value = fresh
    await open.shelf.put(new Map([['settings', fresh]]))
  } catch {
    // The copy stays.
  }
}

/** Switches pictures: other people's here, one's own for others. Rejects with an ApiError. */
export async function setPictures(change: { share?: boolean; show?: boolean }): Promise<void> {
  account()
  await putPictures(change)
  await loadSettings()
  if (change.show === undefined) return
  // Rows came with or without a picture as the switch stood.
  await loadContacts()
  askAgain(chatList.peek().map((chat) => chat.person).filter((id) => id !== ''))
}

/** Replaces the numbers that the person typed. Rejects with an ApiError. */
export async function setPhones(phones: readonly { kind: string; number: string }[]): Promise<void> {
  account()
  await putPhones({ phones })
  await loadSettings()
}
