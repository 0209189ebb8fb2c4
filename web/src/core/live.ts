// What is true at this moment and stands in no store: connection, presence,
// typing, messages on their way.
import { signal, type ReadonlySignal, type Signal } from '@preact/signals'
import { limit } from '../api.gen'
import { realClock, type Cancel } from './clock'
import type { Connection } from './types'
import type { Presence } from './wire'

export const connectionState = signal<Connection>('connecting')
export const flightIds = signal<ReadonlySet<string>>(new Set())

const presences = new Map<string, Signal<Presence | undefined>>()

/** The state of a person; undefined while unknown. */
export function presenceOf(person: string): Signal<Presence | undefined> {
  let known = presences.get(person)
  if (!known) presences.set(person, (known = signal(undefined)))
  return known
}

/** Nothing is known of anybody's state any more, or only of those to keep. */
export function forgetPresence(keep: ReadonlySet<string> = new Set()): void {
  for (const [person, known] of presences) if (!keep.has(person)) known.value = undefined
}

const typists = new Map<string, Signal<readonly string[]>>()
const ends = new Map<string, Cancel>()

function typingSignal(conversation: string): Signal<readonly string[]> {
  let known = typists.get(conversation)
  if (!known) typists.set(conversation, (known = signal([])))
  return known
}

/** Who is typing in a conversation. */
export const typingIn = (conversation: string): ReadonlySignal<readonly string[]> => typingSignal(conversation)

/** Somebody types, or has stopped. It ends by itself when it is not repeated. */
export function setTyping(conversation: string, person: string, on: boolean): void {
  const key = `${conversation} ${person}`
  ends.get(key)?.()
  ends.delete(key)
  const known = typingSignal(conversation)
  const others = known.value.filter((p) => p !== person)
  if (on) {
    known.value = [...others, person]
    ends.set(key, realClock.after(limit.typingMillis, () => setTyping(conversation, person, false)))
  } else if (others.length !== known.value.length) {
    known.value = others
  }
}

/** Forgets everything, for the next person. */
export function clearLive(): void {
  connectionState.value = 'offline'
  flightIds.value = new Set()
  forgetPresence()
  for (const cancel of ends.values()) cancel()
  ends.clear()
  for (const known of typists.values()) known.value = []
}
