// The field for the next message. The draft is kept on the device with every change.
import { useSignal } from '@preact/signals'
import type { TargetedKeyboardEvent } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Chat } from '../../core'
import { text } from '../../text/text'
import { wordsFor } from '../parts/Blank'
import { SendIcon } from '../parts/icons'
import { coarse } from '../viewport'

/** fit grows the field with its text where the browser does not do it itself. */
function fit(field: HTMLTextAreaElement | null): void {
  if (!field || CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + 2}px`
}

/** sends tells whether a key press sends: Enter with a real keyboard, never while an input method composes. */
const sends = (e: TargetedKeyboardEvent<HTMLTextAreaElement>) => e.key === 'Enter' && !e.shiftKey && !e.isComposing && (e.ctrlKey || e.metaKey || !coarse())

/** Composer sends what is typed, in the order typed; a message that this device cannot keep stays in the field. */
export function Composer({ chat }: { chat: Chat }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const words = useSignal(chat.draft.peek())
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!coarse()) field.current?.focus({ preventScroll: true })
  }, [])
  useLayoutEffect(() => fit(field.current), [words.value])

  const set = (next: string) => {
    words.value = next
    chat.setDraft(next)
  }
  const send = async () => {
    const sending = words.peek()
    if (sending.trim() === '') return
    words.value = ''
    setError(undefined)
    field.current?.focus({ preventScroll: true })
    try {
      await chat.send(sending)
    } catch (reason) {
      setError(reason)
      if (words.peek() === '') set(sending)
    }
  }
  return (
    <>
      {error !== undefined && (
        <p class="says bad" role="alert">
          {wordsFor(error)}
        </p>
      )}
      <form
        class="compose"
        onSubmit={(e) => {
          e.preventDefault()
          void send()
        }}
      >
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          aria-label={text('talk.message')}
          placeholder={text('talk.message')}
          value={words.value}
          autocomplete="off"
          onInput={(e) => {
            set(e.currentTarget.value)
            chat.setTyping(e.currentTarget.value !== '')
          }}
          onKeyDown={(e) => {
            if (!sends(e)) return
            e.preventDefault()
            void send()
          }}
        />
        <button type="submit" aria-label={text('talk.send')} disabled={words.value.trim() === ''}>
          <SendIcon />
        </button>
      </form>
    </>
  )
}
