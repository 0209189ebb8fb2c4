// Delivered and read marks (docs/protocol.md §6): files what the server says,
// and tells the server what was read here until it is known to have it.
import { ApiError } from '../call'
import type { Mark } from '../store/writer'
import type { ClientFrame } from '../wire'
import type { EventOf, Ports } from './ports'

/** Marks that are kept for entries that have not come yet. */
const mostPending = 500

/** The marks of one connection after the other. */
export class Marker {
  private pending: Mark[] = []

  constructor(
    private readonly ports: Pick<Ports, 'api' | 'history' | 'listener'>,
    private readonly send: (frame: ClientFrame) => boolean,
    /** Asks for a sign of life; the function runs when everything sent before was handled. */
    private readonly confirm: (answered: () => void) => void,
  ) {}

  /** Asks for the marks that changed while this device was away. */
  async fetch(): Promise<void> {
    const { api, history } = this.ports
    const at = history.now.cursor
    const answer = await api.marks(history.now.marks).catch((cause: unknown) => {
      // Messages come first: marks are asked for again after the next welcome.
      if (cause instanceof ApiError && cause.kind !== 'sign-in') return undefined
      throw cause
    })
    if (!answer) return
    const { marks } = answer
    const list = marks.flatMap(({ conversation, delivered, read }): Mark[] => [
      ...(delivered ?? []).map(({ person, id }) => ({ conversation, person, id })),
      ...(read === undefined ? [] : [{ conversation, id: read }]),
    ])
    await this.apply(list)
    if (history.now.marks !== at) await history.marksKnown(at)
  }

  /** Marks that came by the socket. */
  file(events: readonly (EventOf<'delivered'> | EventOf<'read'>)[]): Promise<void> {
    return this.apply(
      events.map((e): Mark => {
        const { conversation, id } = e
        return e.type === 'delivered' ? { conversation, id, person: e.person } : { conversation, id }
      }),
    )
  }

  /** New entries came: perhaps those that marks were waiting for. */
  async again(): Promise<void> {
    if (this.pending.length === 0) return
    const marks = this.pending
    this.pending = []
    await this.apply(marks)
  }

  private async apply(marks: readonly Mark[]): Promise<void> {
    if (marks.length === 0) return
    const { changed, unknown } = await this.ports.history.mark(marks)
    this.pending = [...this.pending, ...unknown].slice(-mostPending)
    if (changed.length > 0) this.ports.listener.changed(changed)
  }

  /** Tells the server every read mark that it has not confirmed. */
  async sendReads(): Promise<void> {
    const { history } = this.ports
    const told = new Map<string, number>()
    for (const chat of [...history.list.values()]) {
      if (!chat.unsent) continue
      const id = await history.readEntry(chat.conversation)
      if (id === undefined || this.send({ type: 'read', conversation: chat.conversation, id })) {
        told.set(chat.conversation, chat.read)
      }
    }
    if (told.size > 0) this.confirm(() => void history.readKnown(told).catch(() => undefined))
  }
}
