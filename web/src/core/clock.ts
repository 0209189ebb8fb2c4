// Time and chance, passed in so that tests decide about both.

/** Cancels what `after` has arranged. */
export type Cancel = () => void

export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number
  after(ms: number, run: () => void): Cancel
  /** At least 0, less than 1. */
  random(): number
}

export const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** A delay that doubles from `first` up to `most` milliseconds, between half and all of it at random. */
export class Backoff {
  private attempts = 0

  constructor(
    private readonly clock: Clock,
    private readonly first: number,
    private readonly most: number,
  ) {}

  /** Failures since the last reset. */
  get failures(): number {
    return this.attempts
  }

  /** How long to wait after one more failure; at least `least`. */
  next(least = 0): number {
    const full = Math.min(this.most, this.first * 2 ** Math.min(this.attempts, 20))
    this.attempts++
    return Math.max(least, full * (0.5 + this.clock.random() / 2))
  }

  reset(): void {
    this.attempts = 0
  }
}
