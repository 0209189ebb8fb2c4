// What this device says of the person's typing: repeated while it lasts, ended
// when the keys rest.
import type { Cancel, Clock } from '../clock'

const repeatMs = 5_000
const restMs = 6_000

interface Typing {
  told: number
  rest: Cancel
}

/** Tells that the person types: at once, every 5 s, and when it is over. */
export class Typist {
  private readonly open = new Map<string, Typing>()

  constructor(
    private readonly clock: Clock,
    private readonly tell: (conversation: string, on: boolean) => void,
  ) {}

  set(conversation: string, on: boolean): void {
    const typing = this.open.get(conversation)
    typing?.rest()
    if (!on) {
      if (this.open.delete(conversation)) this.tell(conversation, false)
      return
    }
    const now = this.clock.now()
    const due = !typing || now - typing.told >= repeatMs
    const rest = this.clock.after(restMs, () => this.set(conversation, false))
    this.open.set(conversation, { told: due ? now : typing.told, rest })
    if (due) this.tell(conversation, true)
  }

  /** The connection is lost: nobody sees it any more. */
  stop(): void {
    for (const typing of this.open.values()) typing.rest()
    this.open.clear()
  }
}
