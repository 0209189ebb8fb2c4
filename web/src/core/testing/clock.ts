// A clock that tests move by hand.
import type { Cancel, Clock } from '../clock'

export class FakeClock implements Clock {
  private at = 1_000_000
  private timers: { due: number; run: () => void }[] = []
  chance = 0.5

  now(): number {
    return this.at
  }

  after(ms: number, run: () => void): Cancel {
    const timer = { due: this.at + ms, run }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((t) => t !== timer)
    }
  }

  random(): number {
    return this.chance
  }

  /** Lets time pass; what falls due runs in its order. */
  pass(ms: number): void {
    const end = this.at + ms
    for (;;) {
      const next = this.timers.filter((t) => t.due <= end).sort((a, b) => a.due - b.due)[0]
      if (!next) break
      this.timers = this.timers.filter((t) => t !== next)
      this.at = Math.max(this.at, next.due)
      next.run()
    }
    this.at = end
  }
}

/** Waits for a condition that the real event loop brings about; fails after two seconds. */
export async function until(met: () => boolean | Promise<boolean>, what = String(met)): Promise<void> {
  const deadline = Date.now() + 2_000
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
    await turn()
  }
}

const turn = (): Promise<void> => new Promise((ok) => setTimeout(ok, 0))

/** Lets everything that is under way come to rest. */
export async function rest(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await turn()
}
