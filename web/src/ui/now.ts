// One clock for all the times on screen, so that "Today" and local times do not go stale.
import { signal, type ReadonlySignal } from '@preact/signals'

const ticking = signal(Date.now())

/** now is the current time, fresh to half a minute. */
export const now: ReadonlySignal<number> = ticking

const tick = () => (ticking.value = Date.now())

/** startClock keeps `now` going; a suspended app catches up when it comes back to the screen. */
export function startClock(): () => void {
  const timer = setInterval(tick, 30_000)
  addEventListener('visibilitychange', tick)
  return () => {
    clearInterval(timer)
    removeEventListener('visibilitychange', tick)
  }
}
