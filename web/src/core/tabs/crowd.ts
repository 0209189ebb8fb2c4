// All tabs of this person on this device, as the server sees them: one device.
import type { Clock } from '../clock'
import type { Activity } from '../sync/ports'
import type { TabStatus } from './messages'

/** A tab that was silent so long is gone. Hidden tabs may speak once a minute only. */
const silentMs = 130_000

/** The tabs that the owner has heard of lately. */
export class Crowd {
  private readonly tabs = new Map<string, { status: TabStatus; seen: number }>()

  constructor(private readonly clock: Clock) {}

  put(tab: string, status: TabStatus): void {
    this.tabs.set(tab, { status, seen: this.clock.now() })
  }

  remove(tab: string): void {
    this.tabs.delete(tab)
  }

  private get present(): TabStatus[] {
    const oldest = this.clock.now() - silentMs
    for (const [tab, { seen }] of this.tabs) if (seen < oldest) this.tabs.delete(tab)
    return [...this.tabs.values()].map((t) => t.status)
  }

  /** Everybody that any tab shows; visible tabs first. */
  get watched(): string[] {
    const tabs = this.present.sort((a, b) => Number(b.visible) - Number(a.visible))
    return [...new Set(tabs.flatMap((t) => t.watch))]
  }

  /** What the person does here; `active` is used up by asking. */
  activity(): Activity {
    const tabs = this.present
    const active = tabs.some((t) => t.active)
    const shown = tabs.find((t) => t.visible) ?? tabs[0]
    for (const entry of this.tabs.values()) entry.status = { ...entry.status, active: false }
    return { active, visible: tabs.some((t) => t.visible), timeZone: shown?.timeZone ?? 'UTC' }
  }
}
