// Dates, times and the grouping of messages. Times are for display only; the order of messages is the log's.
import { text } from '../text/text'

type When = Date | string | number

// A formatter is costly to make and asked for in every row, so each is made once.
const made = new Map<string, Intl.DateTimeFormat>()
function format(at: Date, options: Intl.DateTimeFormatOptions): string {
  const name = JSON.stringify(options)
  let formatter = made.get(name)
  if (!formatter) made.set(name, (formatter = new Intl.DateTimeFormat(undefined, options)))
  return formatter.format(at)
}

const date = (at: When) => new Date(at)
const valid = (at: Date) => !Number.isNaN(at.getTime())

/** daysBefore counts the midnights of this device's zone between two times; changes to summer time do not matter. */
export function daysBefore(at: When, now: When): number {
  const midnight = (d: Date) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate())
  return Math.round((midnight(date(now)) - midnight(date(at))) / 86_400_000)
}

/** clock is the time of day. */
export function clock(at: When): string {
  const d = date(at)
  return valid(d) ? format(d, { timeStyle: 'short' }) : ''
}

/** day names the day: Today, Yesterday, a weekday of the last week, or the date. */
export function day(at: When, now: When): string {
  const d = date(at)
  if (!valid(d)) return ''
  const ago = daysBefore(d, now)
  if (ago === 0) return text('time.today')
  if (ago === 1) return text('time.yesterday')
  if (ago > 1 && ago < 7) return format(d, { weekday: 'long' })
  const thisYear = d.getFullYear() === date(now).getFullYear()
  return format(d, thisYear ? { day: 'numeric', month: 'long' } : { day: 'numeric', month: 'long', year: 'numeric' })
}

/** listTime is the short form for a row: the time today, else the day. */
export function listTime(at: When, now: When): string {
  const d = date(at)
  if (!valid(d)) return ''
  const ago = daysBefore(d, now)
  if (ago === 0) return clock(d)
  return ago > 0 && ago < 7 ? day(d, now) : format(d, { day: 'numeric', month: 'numeric', year: '2-digit' })
}

/** moment is a day and a time within a sentence, the day left out when it is today. */
export function moment(at: When, now: When): string {
  const ago = daysBefore(at, now)
  if (ago === 0) return clock(at)
  if (ago === 1) return text('time.yesterday-at', { clock: clock(at) })
  if (ago === -1) return text('time.tomorrow-at', { clock: clock(at) })
  return text('time.day-and-clock', { day: day(at, now), clock: clock(at) })
}

/** full is the exact date and time, for a tooltip or a list of devices. */
export function full(at: When): string {
  const d = date(at)
  return valid(d) ? format(d, { dateStyle: 'medium', timeStyle: 'short' }) : ''
}

/** localTime is the time of day in another zone, with its weekday where that differs from ours; nothing for a zone this device does not know. */
export function localTime(zone: string, now: When): string | undefined {
  try {
    const there = new Intl.DateTimeFormat(undefined, { timeStyle: 'short', timeZone: zone }).format(date(now))
    const weekday = (timeZone?: string) => new Intl.DateTimeFormat(undefined, { weekday: 'long', ...(timeZone === undefined ? {} : { timeZone }) }).format(date(now))
    return weekday(zone) === weekday() ? there : text('time.day-and-clock', { day: weekday(zone), clock: there })
  } catch {
    return undefined
  }
}

/** zoneName shows an IANA zone as people read it: "Europe/Berlin" is "Berlin". */
export const zoneName = (zone: string) => (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ')

/** initials are at most two letters for the place of a picture. */
export function initials(name: string): string {
  const words = name.split(/[\s,]+/u).filter((w) => /^\p{L}|^\p{N}/u.test(w))
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined]
  return [first, last].map((w) => (w === undefined ? '' : (Array.from(w)[0] ?? ''))).join('').toLocaleUpperCase()
}

/** Dated is all that grouping needs to know about a message. */
export interface Dated { readonly from: string; readonly at: string | number }

/** Run is a stretch of messages of one sender on one day, close together in time. */
export interface Run<M> { readonly from: string; readonly day?: string; readonly items: M[] }

const pause = 5 * 60_000

/** runs groups messages, in the order given, for display. The first run of a day carries the day's name. */
export function runs<M extends Dated>(messages: readonly M[], now: When): Run<M>[] {
  const groups: Run<M>[] = []
  let before: M | undefined
  for (const message of messages) {
    const newDay = before === undefined || daysBefore(before.at, message.at) !== 0
    const group = groups.at(-1)
    const close = before !== undefined && Math.abs(date(message.at).getTime() - date(before.at).getTime()) < pause
    if (group && !newDay && close && group.from === message.from) group.items.push(message)
    else groups.push({ from: message.from, items: [message], ...(newDay ? { day: day(message.at, now) } : {}) })
    before = message
  }
  return groups
}
