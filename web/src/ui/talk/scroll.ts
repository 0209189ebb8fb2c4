// Where the log of a conversation is scrolled to. It stays at the newest message while one is there, stays where one reads otherwise, and does
// not jump when older messages are put in front.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../core'

/** near is how close to the end counts as being there, and how close to the top older messages are fetched; CSS pixels. */
const near = 80
const topEdge = 400

const toEnd = (box: HTMLElement) => box.scrollHeight - box.scrollTop - box.clientHeight

/** putInFront finds how many messages were put in front since the last look; -1 when nothing is shared. */
const putInFront = (firstKey: string | undefined, keys: readonly string[]) => (firstKey === undefined ? -1 : keys.indexOf(firstKey))

/** useScroll gives a conversation's log its place, and what follows from it: what is read, and what came meanwhile. */
export function useScroll(chat: Chat) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const before = useRef<{ first?: string | undefined; last?: string | undefined; height: number }>({ height: 0 })
  const [away, setAway] = useState(false)
  const [missed, setMissed] = useState(0)
  const [loading, setLoading] = useState(false)
  const messages = chat.messages.value

  const read = () => {
    if (atEnd.current && document.visibilityState === 'visible') chat.markRead()
  }
  const settle = () => {
    const element = box.current
    if (!element) return
    atEnd.current = toEnd(element) < near
    setAway(!atEnd.current)
    if (!atEnd.current) return
    setMissed(0)
    read()
  }
  const toNewest = () => {
    const element = box.current
    if (element) element.scrollTop = element.scrollHeight
    settle()
  }
  const stuck = useRef(false)
  const loadOlder = () => {
    if (loading || !chat.older.peek()) return
    setLoading(true)
    const ended = (failed: boolean) => {
      stuck.current = failed
      setLoading(false)
    }
    chat.loadOlder().then(
      () => ended(false),
      () => ended(true),
    )
  }

  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const { first, last, height } = before.current
    const keys = messages.map((message) => message.key)
    const newest = messages.at(-1)
    if (putInFront(first, keys) > 0) element.scrollTop += element.scrollHeight - height
    else if (atEnd.current || (newest?.mine && newest.key !== last)) element.scrollTop = element.scrollHeight
    else if (last !== undefined) setMissed((n) => n + messages.slice(keys.indexOf(last) + 1).filter((message) => !message.mine).length)
    before.current = { first: keys[0], last: newest?.key, height: element.scrollHeight }
    atEnd.current = toEnd(element) < near
    setAway(!atEnd.current)
  }, [messages])

  // The keyboard, a growing field and a turned device change the height: the end stays in sight.
  useEffect(() => {
    const element = box.current
    if (!element) return
    const watcher = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight
    })
    watcher.observe(element)
    document.addEventListener('visibilitychange', read)
    return () => {
      watcher.disconnect()
      document.removeEventListener('visibilitychange', read)
    }
  }, [chat])

  // A page that does not fill the screen cannot be scrolled: fetch the next one.
  useEffect(() => {
    const element = box.current
    if (element && !stuck.current && element.scrollHeight <= element.clientHeight) loadOlder()
  }, [messages, loading])

  const onScroll = () => {
    settle()
    if (box.current && box.current.scrollTop < topEdge) loadOlder()
  }
  return { box, away, missed, loading, read, toNewest, loadOlder, onScroll }
}
