// From the wire's entries to what the history keeps.
import { fromBase64, textOf } from '../bytes'
import type { Arrival } from '../store/writer'
import type { Queued } from '../store/queue'
import type { Entry } from '../wire'
import type { EventOf } from './ports'

/** The content type that this version can show. */
export const textContent = 'text.v1'
/** Bytes of a text.v1. */
export const textBytes = 16_000

type WireEntry = Pick<Entry, 'cursor' | 'conversation' | 'from' | 'client_id' | 'kind' | 'content' | 'at' | 'body'>

/**
 * An entry as the history keeps it. Content that this version cannot read is
 * kept as it came. An entry without a client id is known by its own id.
 */
export function arrivalOf(e: WireEntry, queued: Queued | undefined): Arrival {
  const arrival: Arrival = {
    conversation: e.conversation,
    at: e.at,
    from: e.from,
    id: e.client_id || e.cursor,
    entry: e.cursor,
    content: e.content,
    queued: queued?.n,
  }
  const bytes = e.kind === 'message' && e.content === textContent ? fromBase64(e.body) : undefined
  const text = bytes && textOf(bytes)
  if (text !== undefined) arrival.text = text
  else arrival.body = e.body
  if (e.kind !== 'message') arrival.kind = e.kind
  return arrival
}

/** A message of one's own that the server has taken, or had taken long ago (then without an entry). */
export function arrivalOfQueued(me: string, item: Queued, accepted?: EventOf<'accepted'>): Arrival {
  const arrival: Arrival = {
    conversation: item.conversation,
    at: accepted?.at ?? item.at,
    from: me,
    id: item.id,
    content: item.content,
    text: item.text,
    queued: item.n,
  }
  if (accepted) arrival.entry = accepted.cursor
  return arrival
}
