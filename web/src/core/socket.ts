// The browser's WebSocket as the engine wants it.
import { serverUrl } from './call'
import { socketUrl } from './device'
import type { Dial } from './sync/ports'

const abnormal = 1006 // RFC 6455 §7.4.1: no close frame came

export const dialSocket: Dial = (handlers) => {
  let live = true
  const closed = (code: number): void => {
    if (!live) return
    live = false
    handlers.closed(code)
  }
  let socket: WebSocket | undefined
  try {
    socket = new WebSocket(socketUrl(serverUrl('')))
  } catch {
    queueMicrotask(() => closed(abnormal))
  }
  if (socket) {
    socket.onopen = () => live && handlers.open()
    socket.onmessage = (e) => live && handlers.frame(String(e.data))
    socket.onclose = (e) => closed(e.code)
  }
  return {
    send: (text) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => {
      live = false
      socket?.close()
    },
  }
}
