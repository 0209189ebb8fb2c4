// The texts of the parts of the app that are loaded when they are first shown, together with all others.
import { en } from './en'
import { late } from './later.en'
import { privacy } from './privacy.en'
import { sources } from './sources.en'
import { wordsOf, type PlainKeyOf } from './text'

export { refusalText, wireText } from './text'

/** all is every text of the app. */
export const all = { ...en, ...privacy, ...late, ...sources } as const

/** text is text.ts's, with the texts of what is loaded later. */
export const text = wordsOf(all)

/** lateText finds the text of a key that came over the wire; nothing when this build has none, or it takes values. */
export function lateText(key: string): string | undefined {
  const entry: unknown = Object.hasOwn(all, key) ? all[key as keyof typeof all] : undefined
  return typeof entry === 'string' && !entry.includes('{') ? entry : undefined
}

export type PlainKey = PlainKeyOf<typeof all>
