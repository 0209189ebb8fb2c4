// The device loses power between any two steps: after each restart the history
// must be the server's log, each message once and in order, and nothing may have
// been acknowledged that was not stored.
import { beforeEach, describe, expect, it } from 'vitest'
import { fromBase64, textOf } from '../bytes'
import { rest, until } from '../testing/clock'
import { freshProfile, TestDevice } from '../testing/device'
import { FakeServer } from '../testing/server'

beforeEach(freshProfile)

type Crash = 'before the commit' | 'after the commit'

// The n-th write from now on is the device's last.
function crashAt(d: TestDevice, n: number, when: Crash): { crashed: boolean } {
  const state = { crashed: false }
  const write = d.db.ownerWrite.bind(d.db)
  let count = 0
  d.db.ownerWrite = async (stores, fill) => {
    if (state.crashed) return new Promise(() => undefined)
    state.crashed = ++count === n
    if (!state.crashed) return write(stores, fill)
    if (when === 'after the commit') await write(stores, fill)
    return new Promise(() => undefined)
  }
  return state
}

const ackedIndex = (server: FakeServer): number =>
  Math.max(0, ...server.sent('ack').map((f) => server.indexOf(f.cursor) ?? 0))

async function storedIndex(d: TestDevice, server: FakeServer): Promise<number> {
  return server.indexOf((await d.history.place()).cursor) ?? 0
}

describe.each<Crash>(['before the commit', 'after the commit'])('power lost %s', (when) => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 1))('of write %i', async (n) => {
    const server = new FakeServer()
    server.pageSize = 2
    server.append({ text: 'r1' })
    server.append({ text: 'r2' })
    const first = await TestDevice.open(server)
    await first.queueText('s1')
    await first.queueText('s2')
    const state = crashAt(first, n, when)
    await first.engine.start()
    await rest(10)
    // Traffic that needs the gap, the stream and the acknowledgement.
    server.streamLimit = 1
    for (const text of ['r3', 'r4', 'r5']) {
      server.write(text)
      await rest(6)
    }
    if (state.crashed) expect(ackedIndex(server)).toBeLessThanOrEqual(await storedIndex(first, server))
    first.die()

    const second = await TestDevice.start(server)
    await until(async () => (await second.waiting()).length === 0)
    await until(async () => (await storedIndex(second, server)) === server.log.length)
    const want = server.log.map((e) => e.client_id)
    expect((await second.stored()).map((m) => m.id)).toEqual(want)
    expect(new Set(want).size).toBe(7)
    await until(() => ackedIndex(server) === server.log.length)
    const own = server.log.filter((e) => e.from === 'p1').map((e) => textOf(fromBase64(e.body) ?? new Uint8Array()))
    expect(own).toEqual(['s1', 's2'])
  })
})
