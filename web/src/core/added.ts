// Who has added the signed-in person. The server tells it once, as an entry of
// the person's own stream, and the history keeps it; what has been dealt with on
// this device is kept beside it.
import { batch, computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import { current, type Account } from './account'
import { fromBase64, textOf } from './bytes'
import { contactList, kindOf } from './contacts'
import type { Stored } from './store/history'
import type { News } from './tabs/messages'

/** Somebody has added the signed-in person. */
export interface Added {
  readonly key: string
  readonly person: string
  /** RFC 3339, for display. */
  readonly at: string
}

const content = 'application/vnd.parley.contact-added.v1+json'
/** Notices that are looked at, the newest ones. */
const most = 200
const shelfName = 'added/done'

const notices = signal<readonly Added[]>([])
const looked = signal(false)
const done = signal<ReadonlySet<string>>(new Set())

/** Whether addedMe holds what this device knew at the start: whoever comes in after that is news. */
export const addedKnown: ReadonlySignal<boolean> = looked

/** Who has added me and was not dealt with yet, the newest first, each person once. */
export const addedMe: ReadonlySignal<readonly Added[]> = computed(() => {
  const open = notices.value.filter((n) => !done.value.has(n.key))
  return open.filter((n, i) => open.findIndex((other) => other.person === n.person) === i)
})

/** Reads one entry of the own stream; undefined when it is something else, or of a form that this version does not know. */
export function addedFrom(m: Pick<Stored, 'kind' | 'content' | 'body' | 'from' | 'id' | 'at'>): Added | undefined {
  if (m.kind !== 'notice' || m.content !== content) return undefined
  const bytes = fromBase64(m.body ?? '')
  const words = bytes && textOf(bytes)
  try {
    const { person } = JSON.parse(words ?? '') as { person?: unknown }
    return typeof person === 'string' && /^p\d+$/.test(person) ? { key: `${m.from}/${m.id}`, person, at: m.at } : undefined
  } catch {
    return undefined
  }
}

/** Follows the signed-in person. Called once, before the core starts. */
export function followAdded(): void {
  effect(() => {
    const account = current.value
    untracked(() => {
      looked.value = false
      notices.value = []
      done.value = new Set()
      if (!account) return
      account.hear.add((news) => heard(account, news))
      void recall(account)
    })
  })
  followList()
}

// Whoever becomes a contact, on whatever device, has been dealt with.
function followList(): void {
  let before: ReadonlySet<string> | undefined
  effect(() => {
    const list = contactList.value
    if (list.at !== 'here') {
      before = undefined
      return
    }
    const now = new Set(list.value.filter((g) => kindOf(g) !== 'suggested').flatMap((g) => g.people.map((p) => p.id)))
    const former = before
    before = now
    if (former) untracked(() => settle((n) => now.has(n.person) && !former.has(n.person)))
  })
}

function heard(account: Account, news: News): void {
  if (news.news === 'changed' && news.conversations.includes(account.me)) void read(account)
}

async function recall(account: Account): Promise<void> {
  const kept = await account.shelf.get<string[]>(shelfName).catch(() => undefined)
  if (current.peek() !== account) return
  if (kept) done.value = new Set([...kept, ...done.peek()])
  await read(account)
}

async function read(account: Account): Promise<void> {
  const found: Added[] = []
  try {
    let before = Infinity
    while (found.length < most) {
      const page = await account.history.before(account.me, before)
      const first = page[0]
      if (!first) break
      before = first.s
      found.unshift(...page.map(addedFrom).filter((n) => n !== undefined))
    }
  } catch {
    return // the store's failure is told where messages are read
  }
  if (current.peek() !== account) return
  batch(() => {
    notices.value = found.reverse()
    looked.value = true
  })
}

function settle(which: (notice: Added) => boolean): void {
  const gone = notices.peek().filter((n) => which(n) && !done.peek().has(n.key))
  if (gone.length === 0) return
  const known = new Set(notices.peek().map((n) => n.key))
  done.value = new Set([...[...done.peek()].filter((key) => known.has(key)), ...gone.map((n) => n.key)])
  current.peek()?.shelf.put(new Map([[shelfName, [...done.peek()]]])).catch(() => undefined)
}

/** The notices about somebody have been dealt with. */
export const dismissAdded = (person: string): void => settle((n) => n.person === person)
