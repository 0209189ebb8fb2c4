// One message to everybody in a group of the directory: to each person in the
// conversation of two, by the same queue that every message goes through.
import { computed, type ReadonlySignal } from '@preact/signals'
import { randomId, utf8 } from './bytes'
import { ApiError } from './call'
import { theBook } from './chats'
import { between } from './conversation'
import { directoryGroup, own } from './people'
import { storeError } from './storage'
import { textBytes } from './sync/entries'

/** People of one message at most. */
export const mostRecipients = 100
/** Groups in groups that are opened at most. */
const mostGroups = 100

/** Who gets a message to a group. */
export interface Recipients {
  readonly name: string
  /** Each once, without oneself; at most one more than a message may have. */
  readonly people: readonly string[]
}

/** Everybody in a group and the groups in it; circles end. Rejects with an ApiError. */
export async function recipients(group: string, signal?: AbortSignal): Promise<Recipients> {
  const { me } = theBook().account
  const people = new Set<string>()
  const seen = new Set([group])
  let name = ''
  for (const id of seen) {
    let after: string | undefined
    do {
      const page = await directoryGroup(id, after, signal)
      if (id === group) name = page.name
      for (const p of page.people) if (p.id !== me) people.add(p.id)
      for (const g of page.groups) if (seen.size < mostGroups) seen.add(g.id)
      after = page.more ? page.people.at(-1)?.id : undefined
      if (people.size > mostRecipients) return { name, people: [...people].slice(0, mostRecipients + 1) }
    } while (after !== undefined)
  }
  return { name, people: [...people] }
}

/** How far a message to many has got. */
export interface Progress {
  readonly total: number
  readonly sent: number
  readonly failed: readonly { readonly person: string; readonly reason: string }[]
}

/**
 * Stores the message for each person in the send queue. Resolves when all are stored: they survive a reload from then
 * on. Rejects with an ApiError when the text or the number of people cannot be; what was stored before a failure of the
 * device stays in the queue and is sent.
 */
export async function sendToAll(people: readonly string[], text: string): Promise<ReadonlySignal<Progress>> {
  if (text.trim() === '') throw new ApiError('invalid', 'message.empty')
  if (utf8(text).length > textBytes) throw new ApiError('too-large', 'message.too-large')
  if (people.length > mostRecipients) throw new ApiError('too-large', 'message.too-many-people')
  const book = theBook()
  const ids = new Map(people.map((person) => [randomId(), person]))
  const at = new Date().toISOString()
  try {
    await own(book.account, async () => {
      for (const [id, person] of ids) await book.add({ conversation: between(book.account.me, person), at, id, text }, true)
    })
  } catch (cause) {
    throw storeError(cause)
  }
  return computed(() => {
    const waiting = book.queue.value.filter((q) => ids.has(q.id))
    const failed = waiting.flatMap((q) => (q.failed === undefined ? [] : [{ person: ids.get(q.id) ?? '', reason: q.failed }]))
    return { total: ids.size, sent: ids.size - waiting.length, failed }
  })
}
