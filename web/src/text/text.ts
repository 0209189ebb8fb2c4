// Finds a text in a catalogue and fills in its values. A key that is not in the catalogue, a value that is missing and a value that the
// text does not use are compile errors.
import { en } from './en'

/** Plural is a text whose form depends on `count`; the forms are those of Intl.PluralRules. */
export interface Plural { readonly one: string; readonly other: string }

type Catalogue = Readonly<Record<string, string | Plural>>

/** Names collects the `{names}` of a text. */
type Names<S> = S extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never
type Wanted<T> = T extends Plural ? 'count' | Names<T['one'] | T['other']> : Names<T>
/** Values are what a text needs: nothing, or an object with exactly its names. */
type ValuesOf<T> = [Wanted<T>] extends [never] ? [] : [Readonly<Record<Wanted<T>, string | number>>]
/** PlainKeyOf is a key whose text takes no values. */
export type PlainKeyOf<C> = { [K in keyof C & string]: ValuesOf<C[K]> extends [] ? K : never }[keyof C & string]

const rules = new Intl.PluralRules('en')

/** fill replaces each `{name}` by its value; numbers follow the device's locale. */
export function fill(pattern: string, values: Readonly<Record<string, string | number>> = {}): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? value.toLocaleString() : value
  })
}

/** wordsOf makes of a catalogue the function that finds its texts. */
export const wordsOf =
  <const C extends Catalogue>(catalogue: C) =>
  <K extends keyof C & string>(key: K, ...[values]: ValuesOf<C[K]>): string => {
    const entry: string | Plural = catalogue[key] as string | Plural
    const named = values as Readonly<Record<string, string | number>> | undefined
    if (typeof entry === 'string') return fill(entry, named)
    return fill(rules.select(Number(named?.['count'])) === 'one' ? entry.one : entry.other, named)
  }

/** text is the only way from a key to words on the screen, but for what is loaded later (later.ts). */
export const text = wordsOf(en)

export type PlainKey = PlainKeyOf<typeof en>

/** isPlain tells whether a key that came over the wire is one that this build has a text for. */
function isPlain(key: string): key is PlainKey {
  if (!Object.hasOwn(en, key)) return false
  const entry: string | Plural = en[key as keyof typeof en]
  return typeof entry === 'string' && !entry.includes('{')
}

/** wireText finds the text of a token that came over the wire, such as a group's key; nothing when this build has none for it. */
export function wireText(family: 'group' | 'phone-kind' | 'source' | 'relationship' | 'level' | 'refusal' | 'kind', token: string | undefined): string | undefined {
  const key = `${family}.${token ?? ''}`
  return isPlain(key) ? text(key) : undefined
}

/**
 * refusalText turns a refusal's text key into words. The server may know keys that this build does not: then the kind decides, and it always
 * has a text.
 */
export function refusalText(refusal: { readonly key?: string | undefined; readonly kind?: string | undefined }): string {
  return wireText('refusal', refusal.key) ?? wireText('kind', refusal.kind) ?? text('kind.internal')
}
