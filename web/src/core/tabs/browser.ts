// Web Locks and BroadcastChannel as the hub wants them.
import type { Channel, Locks, TabMessage } from './messages'

/** The tabs of one person on this device. */
export function openChannel(person: string): Channel {
  const channel = new BroadcastChannel(`parley-${person}`)
  return {
    post: (message) => channel.postMessage(message),
    listen: (heard) => {
      channel.onmessage = (e: MessageEvent<TabMessage>) => heard(e.data)
    },
    close: () => channel.close(),
  }
}

export const browserLocks: Locks = {
  request: async (name, options, held) => {
    await navigator.locks.request(name, options, held)
  },
}
