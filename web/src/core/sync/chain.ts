// The order of the log on this device: each entry names the one before it.

/** What to do with an entry. */
export type Step = 'apply' | 'duplicate' | 'gap'

/** How many of the last entries are recognised when they come a second time. */
const remembered = 1024

/**
 * Follows `prev` and `cursor`. After a resume the server may stream what it has
 * streamed before; an entry that was applied lately is therefore no gap.
 */
export class Chain {
  private readonly recent = new Set<string>()

  constructor(private at: string) {}

  get cursor(): string {
    return this.at
  }

  step(prev: string, cursor: string): Step {
    if (this.recent.has(cursor) || cursor === this.at) return 'duplicate'
    if (prev !== this.at) return 'gap'
    this.moveTo(cursor)
    return 'apply'
  }

  /** A sync has come this far. */
  moveTo(cursor: string): void {
    this.at = cursor
    this.recent.add(cursor)
    if (this.recent.size <= remembered) return
    for (const oldest of this.recent) {
      this.recent.delete(oldest)
      break
    }
  }
}
