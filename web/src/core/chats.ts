// The conversations that the screens ask for.
import { computed, effect, signal, untracked } from '@preact/signals'
import { current } from './account'
import { Book } from './book'
import { ApiError } from './call'
import { ChatView } from './chat'
import { between } from './conversation'
import { setBadge } from './device'
import { reportTrouble, storeError } from './storage'
import type { Chat } from './types'

const book = signal<Book | undefined>(undefined)

export const chatList = computed(() => book.value?.chats.value ?? [])
export const unreadCount = computed(() => book.value?.unread.value ?? 0)

const keepDrafts = (): void => {
  for (const page of book.peek()?.pages ?? []) if (page instanceof ChatView) page.keepDraft()
}

/** Follows the signed-in person. Called once, before the core starts. */
export function followChats(): void {
  effect(() => {
    const account = current.value
    untracked(() => {
      book.value = account && new Book(account)
      book.peek()?.load().catch(storeError)
    })
  })
  effect(() => setBadge(unreadCount.value))
  addEventListener('pagehide', keepDrafts, { capture: true })
  document.addEventListener('visibilitychange', keepDrafts)
}

/** The conversations of the signed-in person; throws an ApiError when nobody is signed in. */
export function theBook(): Book {
  const open = book.peek()
  if (!open) throw new ApiError('sign-in', 'error.sign-in')
  return open
}

/** Opens a conversation for a screen, which has to `close` it. */
export function openChat(conversation: string): Chat {
  return new ChatView(theBook(), conversation)
}

/** The conversation of the signed-in person with another. */
export function conversationWith(person: string): string {
  return between(theBook().account.me, person)
}

/** Removes conversations from this device only. Rejects with an ApiError. */
export async function deleteChats(conversations: readonly string[]): Promise<void> {
  try {
    await theBook().account.hub.command({ do: 'remove', conversations })
  } catch (cause) {
    if (cause instanceof ApiError) throw cause
    reportTrouble('failed')
    throw new ApiError('full', 'store.failed', undefined, 'later')
  }
}
