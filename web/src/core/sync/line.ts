// The line to the server: dials, notices when it is dead, dials again. It knows
// frames but not what they mean.
import { closeCode, limit } from '../../api.gen'
import { utf8 } from '../bytes'
import { ApiError } from '../call'
import { Backoff, type Cancel, type Clock } from '../clock'
import type { Connection } from '../types'
import type { ClientFrame, ServerEvent } from '../wire'
import type { Dial, Socket } from './ports'

const openWithinMs = 6_000
const pongWithinMs = 5_000
/** After so much silence the line is checked: a server can be gone without a word. */
const quietMs = 20_000
const firstDelayMs = 400
const longestDelayMs = 30_000
/** A connection that lasted so long resets the back-off. */
const steadyMs = 5_000
const longDelayMs = 60_000

export interface LineHandlers {
  opened(): void
  events(events: readonly ServerEvent[]): void
  /** The socket is gone. The line dials again by itself, unless the code forbids it. */
  lost(code: number): void
  state(connection: Connection): void
  /** The socket never opened: find out whether the session still stands. Rejects with an ApiError. */
  probe(): Promise<unknown>
  /** The probe says that the session has ended. */
  ended(): void
}

/** One connection after the other, until it is stopped. */
export class Line {
  private socket: Socket | undefined
  private open = false
  private greeted = false
  private stopped = true
  private since = 0
  private heard = 0
  private timer: Cancel | undefined
  private quiet: Cancel | undefined
  private pong: Cancel | undefined
  private due: Cancel | undefined
  private readonly pongs: (() => void)[] = []
  private readonly backoff: Backoff

  constructor(
    private readonly clock: Clock,
    private readonly dialler: Dial,
    private readonly handlers: LineHandlers,
  ) {
    this.backoff = new Backoff(clock, firstDelayMs, longestDelayMs)
  }

  start(): void {
    this.stopped = false
    this.backoff.reset()
    this.dial()
  }

  /** Ends for good, or until the next start. */
  stop(): void {
    this.stopped = true
    this.drop()
    this.handlers.state('offline')
  }

  /** Dials at once if there is no connection; asks a connection for a sign of life. */
  wake(): void {
    if (this.stopped) return
    if (this.greeted) this.check()
    else if (!this.socket) this.now()
  }

  /** Dials at once, also after the line was stopped because another socket replaced it. */
  now(): void {
    this.stopped = false
    if (this.greeted) {
      this.check()
      return
    }
    this.drop()
    this.backoff.reset()
    this.dial()
  }

  /** The server's welcome has come. */
  welcomed(): void {
    this.greeted = true
    this.since = this.clock.now()
    this.timer?.()
    this.watchQuiet()
    this.handlers.state('online')
  }

  /** Sends a frame; false when there is no line or the frame is too large for the server. */
  send(frame: ClientFrame): boolean {
    if (!this.socket || !this.open) return false
    const text = JSON.stringify(frame)
    if (text.length > limit.frameBytes / 3 && utf8(text).length > limit.frameBytes) return false
    this.socket.send(text)
    return true
  }

  /** Asks for a sign of life. `answered` runs when everything sent before has been handled. */
  check(answered?: () => void): void {
    if (!this.send({ type: 'ping' })) return
    this.pongs.push(() => answered?.())
    this.pong ??= this.clock.after(pongWithinMs, () => this.fail(0))
  }

  /** An answer is due: when nothing at all comes for a while, the line is checked. */
  expect(): void {
    const asked = this.clock.now()
    this.due ??= this.clock.after(pongWithinMs, () => {
      this.due = undefined
      if (this.heard <= asked) this.check()
    })
  }

  /** Gives the connection up and dials again after the back-off, or after `least` ms if that is longer. */
  fail(least: number): void {
    if (this.stopped) return
    this.drop()
    this.handlers.lost(0)
    this.again(least)
  }

  private dial(): void {
    this.timer?.()
    if (this.backoff.failures < 2) this.handlers.state('connecting')
    this.timer = this.clock.after(openWithinMs, () => this.fail(0))
    const current: Socket = this.dialler({
      open: () => {
        if (this.socket !== current) return
        this.open = true
        this.heard = this.clock.now()
        this.timer?.()
        // The welcome has as much time as the opening had.
        this.timer = this.clock.after(openWithinMs, () => this.fail(0))
        this.handlers.opened()
      },
      frame: (text) => {
        if (this.socket === current) this.frame(text)
      },
      closed: (code) => {
        if (this.socket === current) this.closed(code)
      },
    })
    this.socket = current
  }

  private frame(text: string): void {
    this.heard = this.clock.now()
    const events = parseFrame(text)
    for (const e of events) if (e.type === 'pong') this.answered()
    this.handlers.events(events)
  }

  private answered(): void {
    this.pong?.()
    this.pong = undefined
    this.pongs.shift()?.()
    if (this.pongs.length > 0) this.pong = this.clock.after(pongWithinMs, () => this.fail(0))
  }

  private closed(code: number): void {
    const opened = this.open
    this.drop()
    const redial = code !== closeCode.signedOut && code !== closeCode.replaced && code !== closeCode.tooOld
    if (!redial) this.stopped = true
    this.handlers.lost(code)
    if (!redial) {
      this.handlers.state('offline')
      return
    }
    const long = code === closeCode.malformed || code === closeCode.tooMany
    this.again(long ? longDelayMs : 0)
    if (!opened) this.probe()
  }

  // A refused upgrade looks like any other failure to a browser's socket.
  private probe(): void {
    this.handlers.probe().catch((cause: unknown) => {
      if (this.stopped || !(cause instanceof ApiError) || cause.kind !== 'sign-in') return
      this.stop()
      this.handlers.ended()
    })
  }

  private again(least: number): void {
    if (this.since > 0 && this.clock.now() - this.since >= steadyMs) this.backoff.reset()
    this.since = 0
    const delay = this.backoff.next(least)
    this.handlers.state(this.backoff.failures <= 2 && least === 0 ? 'connecting' : 'offline')
    this.timer = this.clock.after(delay, () => this.dial())
  }

  private drop(): void {
    const old = this.socket
    this.socket = undefined
    this.open = false
    this.greeted = false
    this.pongs.length = 0
    for (const cancel of [this.timer, this.quiet, this.pong, this.due]) cancel?.()
    this.timer = this.quiet = this.pong = this.due = undefined
    old?.close()
  }

  private watchQuiet(): void {
    this.quiet?.()
    const left = this.heard + quietMs - this.clock.now()
    this.quiet = this.clock.after(left > 0 ? left : quietMs, () => {
      if (this.clock.now() - this.heard >= quietMs) this.check()
      this.watchQuiet()
    })
  }
}

/** The events of a frame; whatever is not an array of objects with a type is nothing. */
export function parseFrame(text: string): ServerEvent[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(parsed)) return []
  return parsed.filter((e): e is ServerEvent => typeof e === 'object' && e !== null && typeof e.type === 'string')
}
