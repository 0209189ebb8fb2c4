// Presence in words: availability numbers and activity tokens to the texts of the product.
import { text, type PlainKey } from './text'

/** Light is what the dot shows; one for each range of availability. */
export type Light = 'available' | 'inactive' | 'busy' | 'busy-inactive' | 'do-not-disturb' | 'be-right-back' | 'away' | 'offline' | 'unknown'

/** upTo: a range ends below its number. */
const ranges: readonly { readonly upTo: number; readonly light: Light; readonly key: PlainKey }[] = [
  { upTo: 4500, light: 'available', key: 'presence.available' },
  { upTo: 6000, light: 'inactive', key: 'presence.inactive' },
  { upTo: 7500, light: 'busy', key: 'presence.busy' },
  { upTo: 9000, light: 'busy-inactive', key: 'presence.busy-inactive' },
  { upTo: 12000, light: 'do-not-disturb', key: 'presence.do-not-disturb' },
  { upTo: 15000, light: 'be-right-back', key: 'presence.be-right-back' },
  { upTo: 18000, light: 'away', key: 'presence.away' },
  { upTo: Infinity, light: 'offline', key: 'presence.offline' },
]

const tokens: Readonly<Record<string, PlainKey>> = {
  'on-the-phone': 'presence.on-the-phone',
  'in-a-meeting': 'presence.in-a-meeting',
  'in-a-conference': 'presence.in-a-conference',
  'urgent-interruptions-only': 'presence.urgent-interruptions-only',
  presenting: 'presence.presenting',
  'off-work': 'presence.off-work',
  'out-of-office': 'presence.out-of-office',
  'reachable-by-notification': 'presence.reachable-by-notification',
}

export interface Shown { readonly availability?: number | undefined; readonly activity?: string | undefined }

const rangeOf = (availability: number) => ranges.find((r) => availability >= 3000 && availability < r.upTo)

/** lightOf gives the dot. Presence that the viewer may not see, or that is not known yet, has no light. */
export function lightOf(presence: Shown | undefined): Light {
  if (presence?.availability === undefined) return 'unknown'
  return rangeOf(presence.availability)?.light ?? 'unknown'
}

/** presenceText gives the words: the token's where there is one that this build knows, else those of the range; empty for no presence. */
export function presenceText(presence: Shown | undefined): string {
  if (presence?.availability === undefined) return ''
  const token = presence.activity === undefined || !Object.hasOwn(tokens, presence.activity) ? undefined : tokens[presence.activity]
  const key = token ?? rangeOf(presence.availability)?.key
  return key === undefined ? '' : text(key)
}
