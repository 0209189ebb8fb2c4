// The Chats tab: conversations on this device, and their removal.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { chats, deleteChats, person, type ChatSummary } from '../../core'
import { text } from '../../text/text'
import { announce } from '../announce'
import { full, listTime } from '../format'
import { now } from '../now'
import { Blank } from '../parts/Blank'
import { Face } from '../parts/Face'
import { ComposeIcon } from '../parts/icons'
import { stateOf } from '../parts/PersonRow'
import { List } from '../parts/rows'
import { ListScreen } from '../parts/Screen'
import { useWatch } from '../parts/Search'
import { Confirm } from '../parts/Sheet'
import { go, href } from '../router'

/** preview is what the last message says, in one line. */
function preview(chat: ChatSummary): string {
  if (chat.unknown) return text('message.unknown')
  if (chat.mine && chat.state === 'failed') return text('chats.failed', { text: chat.text })
  return chat.mine && chat.text !== '' ? text('chats.mine', { text: chat.text }) : chat.text
}

function Inside({ chat }: { chat: ChatSummary }) {
  const row = person(chat.person).value
  return (
    <>
      <Face row={row} presence={stateOf(chat.person)} spoken />
      <span class="main">
        <bdi class="name">{row?.display_name ?? text('person.unknown')}</bdi>
        <small class="line" dir="auto">
          {chat.draft && <span class="bad">{text('chats.draft')}</span>}
          {chat.draft && preview(chat) !== '' && ' · '}
          {preview(chat)}
        </small>
      </span>
      <span class="side">
        {chat.at !== '' && (
          <time dateTime={chat.at} title={full(chat.at)}>
            {listTime(chat.at, now.value)}
          </time>
        )}
        {chat.unread > 0 && (
          <span class="badge" role="img" aria-label={text('chats.unread', { count: chat.unread })}>
            {chat.unread.toLocaleString()}
          </span>
        )}
      </span>
    </>
  )
}

interface ChatRowProps {
  chat: ChatSummary
  current: boolean
  picked: boolean | undefined
  onPick: () => void
}

/** ChatRow opens a conversation; while editing it selects it. `picked` is undefined when not editing. */
function ChatRow({ chat, current, picked, onPick }: ChatRowProps) {
  if (picked === undefined) {
    return (
      <li>
        <a class="row" href={href('chats', chat.conversation)} aria-current={current ? 'true' : undefined}>
          <Inside chat={chat} />
        </a>
      </li>
    )
  }
  return (
    <li>
      <label class="row">
        <input class="pick" type="checkbox" checked={picked} onChange={onPick} />
        <Inside chat={chat} />
      </label>
    </li>
  )
}

/** usePicked is the selection while editing; undefined when not editing. Conversations that are gone leave it. */
function usePicked() {
  const picked = useSignal<ReadonlySet<string> | undefined>(undefined)
  const there = chats.value
  const chosen = picked.value && there.map((c) => c.conversation).filter((c) => picked.value?.has(c))
  return {
    chosen,
    edit: (on: boolean) => (picked.value = on ? new Set() : undefined),
    toggle(conversation: string) {
      const next = new Set(chosen)
      if (!next.delete(conversation)) next.add(conversation)
      picked.value = next
    },
  }
}

function DeleteConfirm({ chosen, open, onDone, onClose }: { chosen: readonly string[]; open: string | undefined; onDone: () => void; onClose: () => void }) {
  const remove = async () => {
    await deleteChats(chosen)
    announce(text('chats.deleted', { count: chosen.length }))
    if (open !== undefined && chosen.includes(open)) go(href('chats'), true)
    onDone()
  }
  return <Confirm title={text('chats.delete-question', { count: chosen.length })} explanation={text('chats.delete-hint')} action={text('chats.delete')} onConfirm={remove} onClose={onClose} />
}

/** Chats is the list of the second tab. */
export function Chats({ current }: { current: string | undefined }) {
  const { chosen, edit, toggle } = usePicked()
  const asking = useSignal(false)
  const rows = chats.value
  useWatch('chats', rows.map((chat) => chat.person))
  useEffect(() => void (rows.length === 0 && edit(false)), [rows.length])
  const editing = chosen !== undefined
  return (
    <ListScreen
      title={text('tab.chats')}
      left={
        rows.length > 0 && (
          <button type="button" class="edit" onClick={() => edit(!editing)}>
            {text(editing ? 'chats.done' : 'chats.edit')}
          </button>
        )
      }
      right={
        <a href={href('chats', 'new')} title={text('chats.new')}>
          <ComposeIcon />
          <span class="unseen">{text('chats.new')}</span>
        </a>
      }
      below={
        editing && (
          <div class="tools">
            <button type="button" class="bad" disabled={chosen.length === 0} onClick={() => (asking.value = true)}>
              {text('chats.delete')}
            </button>
          </div>
        )
      }
    >
      {rows.length === 0 ? (
        <Blank title={text('chats.none')}>
          <p>{text('chats.none-hint')}</p>
          <a class="button" href={href('chats', 'new')}>
            {text('chats.new')}
          </a>
        </Blank>
      ) : (
        <List kind="plain" label={text('chats.list')}>
          {rows.map((chat) => (
            <ChatRow
              key={chat.conversation}
              chat={chat}
              current={chat.conversation === current}
              picked={chosen?.includes(chat.conversation)}
              onPick={() => toggle(chat.conversation)}
            />
          ))}
        </List>
      )}
      {asking.value && chosen && <DeleteConfirm chosen={chosen} open={current} onDone={() => edit(false)} onClose={() => (asking.value = false)} />}
    </ListScreen>
  )
}
