// The person's own settings, as the server keeps them. They are set at a desk
// and read everywhere, so the device keeps a copy.
import { effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { getSettings, setPhones as putPhones, setPictures as putPictures, type TypedPhone } from '../api.gen'
import { current, type Account } from './account'
import { chatList } from './chats'
import { loadContacts } from './contacts'
import { connectionState } from './live'
import { account, askAgain, own } from './people'
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
  // Without an answer the copy stays.
  if (open) await getSettings().then((fresh) => keep(open, fresh), () => undefined)
}

function keep(open: Account, fresh: Settings): void {
  if (current.peek() !== open) return
  const before = known.peek()
  known.value = fresh
  open.shelf.put(new Map([['settings', fresh]])).catch(() => undefined)
  if (before && before.pictures.show !== fresh.pictures.show) void lookAgain()
}

// Rows came with or without a picture as the switch stood, here or on another device.
async function lookAgain(): Promise<void> {
  await loadContacts()
  askAgain(chatList.peek().map((chat) => chat.person).filter((id) => id !== ''))
}

/** Switches pictures: other people's here, one's own for others. Rejects with an ApiError. */
export async function setPictures(change: { share?: boolean; show?: boolean }): Promise<void> {
  const open = account()
  await own(open, async () => keep(open, await putPictures(change)))
}

/** Replaces the numbers that the person typed. Rejects with an ApiError. */
export async function setPhones(phones: readonly TypedPhone[]): Promise<void> {
  const open = account()
  await own(open, async () => keep(open, await putPhones({ phones })))
}
