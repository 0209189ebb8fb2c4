// One message: its text with links, and for one's own what became of it.
import { useMemo, useState } from 'preact/hooks'
import type { Chat, Message } from '../../core'
import { refusalText, text, type PlainKey } from '../../text/text'
import { full } from '../format'
import { split } from '../links'
import { wordsFor } from '../parts/Blank'

const stateKeys: Readonly<Record<Message['state'], PlainKey>> = {
  queued: 'message.queued',
  sending: 'message.sending',
  sent: 'message.sent',
  delivered: 'message.delivered',
  failed: 'message.failed',
}

/** Linked shows text with its links. Each link stands apart, so that its direction cannot reorder what is around it. */
function Linked({ words }: { words: string }) {
  const pieces = useMemo(() => split(words), [words])
  return pieces.map((piece, i) =>
    piece.href === undefined ? (
      piece.text
    ) : (
      <a key={i} href={piece.href} target="_blank" rel="noopener noreferrer">
        <bdi>{piece.text}</bdi>
      </a>
    ),
  )
}

/** Failed says why a message was not taken, and offers what can be done. */
function Failed({ chat, message }: { chat: Chat; message: Message }) {
  const [error, setError] = useState<unknown>()
  const attempt = (doing: Promise<void>) => void doing.catch(setError)
  return (
    <span class="under bad">
      <span>{text('message.failed-why', { reason: error === undefined ? refusalText({ key: message.reason, kind: 'invalid' }) : wordsFor(error) })}</span>
      <button type="button" onClick={() => attempt(chat.retry(message.key))}>
        {text('message.retry')}
      </button>
      <button type="button" onClick={() => attempt(chat.discard(message.key))}>
        {text('message.discard')}
      </button>
    </span>
  )
}

/** Bubble shows a message. `last`: it is the newest of one's own, whose state is shown to everybody and not only spoken. */
export function Bubble({ chat, message, last }: { chat: Chat; message: Message; last: boolean }) {
  const state = text(stateKeys[message.state])
  const unsettled = message.state === 'queued' || message.state === 'sending'
  return (
    <>
      <div class={message.text === undefined ? 'bubble faded' : 'bubble'} dir="auto" title={full(message.at)} data-state={message.mine ? message.state : undefined}>
        {message.text === undefined ? text('message.unknown') : <Linked words={message.text} />}
      </div>
      {message.mine && message.state === 'failed' && <Failed chat={chat} message={message} />}
      {message.mine && message.state !== 'failed' && <span class={last || unsettled ? 'under' : 'unseen'}>{state}</span>}
    </>
  )
}
