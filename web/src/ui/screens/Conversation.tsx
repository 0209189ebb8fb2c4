// A conversation: who it is with, the messages, and the field for the next one.
import { useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { deleteChats, openChat, person, type Chat } from '../../core'
import { presenceText } from '../../text/presence'
import { text } from '../../text/text'
import { announce } from '../announce'
import { Bones, wordsFor } from '../parts/Blank'
import { Dot } from '../parts/Face'
import { stateOf } from '../parts/PersonRow'
import { BackLink } from '../parts/Screen'
import { useWatch } from '../parts/Search'
import { Cancel, Confirm, Sheet } from '../parts/Sheet'
import { go, href } from '../router'
import { Composer } from '../talk/Composer'
import { Messages } from '../talk/Messages'
import { Typing } from '../talk/Typing'

/** useChat opens a conversation for as long as it is on screen. `chat` comes when its first page is there. */
function useChat(conversation: string): { chat: Chat | undefined; error: unknown } {
  const [state, setState] = useState<{ chat?: Chat; error?: unknown }>({})
  useEffect(() => {
    let opened: Chat
    try {
      opened = openChat(conversation)
    } catch (error) {
      setState({ error })
      return
    }
    let here = true
    opened.loaded.then(
      () => here && setState({ chat: opened }),
      (error: unknown) => here && setState({ error }),
    )
    return () => {
      here = false
      setState({})
      opened.close()
    }
  }, [conversation])
  return { chat: state.chat?.conversation === conversation ? state.chat : undefined, error: state.error }
}

function ActionsSheet({ who, onClose, onDelete }: { who: string; onClose: () => void; onDelete: () => void }) {
  return (
    <Sheet label={text('talk.actions')} onClose={onClose}>
      <div class="block">
        <ul>
          <li>
            <a href={href('contacts', who)} onClick={onClose}>
              {text('talk.view-card')}
            </a>
          </li>
          <li>
            <button type="button" class="danger" onClick={onDelete}>
              {text('talk.delete')}
            </button>
          </li>
        </ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

function Actions({ conversation, who }: { conversation: string; who: string }) {
  const open = useSignal<'no' | 'actions' | 'delete'>('no')
  const close = () => (open.value = 'no')
  const remove = async () => {
    await deleteChats([conversation])
    announce(text('chats.deleted', { count: 1 }))
    go(href('chats'), true)
  }
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => (open.value = 'actions')}>
        {text('talk.actions')}
      </button>
      {open.value === 'actions' && <ActionsSheet who={who} onClose={close} onDelete={() => (open.value = 'delete')} />}
      {open.value === 'delete' && (
        <Confirm title={text('chats.delete-question', { count: 1 })} explanation={text('chats.delete-hint')} action={text('chats.delete')} onConfirm={remove} onClose={close} />
      )}
    </>
  )
}

function Who({ id }: { id: string }) {
  const row = person(id).value
  const state = stateOf(id)
  const words = presenceText(state)
  useWatch('conversation', id === '' ? [] : [id])
  return (
    <div class="who">
      <h1 tabIndex={-1}>
        <bdi>{row?.display_name ?? text('person.unknown')}</bdi>
      </h1>
      {words !== '' && (
        <small>
          <Dot presence={state} />
          {words}
        </small>
      )}
    </div>
  )
}

/** Conversation is one conversation on screen. */
export function Conversation({ conversation }: { conversation: string }) {
  const { chat, error } = useChat(conversation)
  const who = chat?.person ?? ''
  return (
    <>
      <div class="bar">
        <BackLink to={href('chats')} label={text('tab.chats')} top />
        {chat ? <Who id={who} /> : <h1 tabIndex={-1}>{text('talk.opening')}</h1>}
        <span class="right">{chat && <Actions conversation={conversation} who={who} />}</span>
      </div>
      {chat ? (
        <>
          <Messages chat={chat} />
          <Typing chat={chat} />
          <Composer chat={chat} />
        </>
      ) : error !== undefined ? (
        <p class="says bad" role="alert">
          {wordsFor(error)}
        </p>
      ) : (
        <div class="scroll">
          <Bones rows={3} />
        </div>
      )}
    </>
  )
}
