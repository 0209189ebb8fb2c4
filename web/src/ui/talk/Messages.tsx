// The messages of a conversation, oldest first, in a log that keeps its place.
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { person, type Chat, type Message, type Notice } from '../../core'
import { text, type PlainKey } from '../../text/text'
import { clock, runs, type Run } from '../format'
import { now } from '../now'
import { DownIcon } from '../parts/icons'
import { Bubble } from './Bubble'
import { useScroll } from './scroll'

const noticeKeys: Readonly<Record<Notice['kind'], PlainKey>> = { head: 'notice.head', missed: 'notice.missed' }

const Notices = ({ notices }: { notices: readonly Notice[] }) => (
  <>
    {notices.map((notice) => (
      <p key={notice.kind + notice.at} class="stamp">
        {text(noticeKeys[notice.kind])}
      </p>
    ))}
  </>
)

/** Head stands over a run: the day where a new one begins, who speaks, and when. */
function Head({ run, first }: { run: Run<Message>; first: Message }) {
  const at = clock(first.at)
  const from = first.mine ? text('message.you') : (person(run.from).value?.display_name ?? text('person.unknown'))
  return (
    <>
      {run.day !== undefined && <h2 class="stamp">{text('message.stamp', { day: run.day, clock: at })}</h2>}
      <p class={run.day === undefined ? 'under' : 'unseen'}>
        <span class="unseen">{from} </span>
        <time dateTime={first.at}>{at}</time>
      </p>
    </>
  )
}

/** broken splits the messages where a notice stands, so that no run goes across it. */
function broken(messages: readonly Message[], notices: readonly Notice[]): { notices: Notice[]; messages: Message[] }[] {
  const parts: { notices: Notice[]; messages: Message[] }[] = [{ notices: [], messages: [] }]
  for (const message of messages) {
    const above = notices.filter((notice) => notice.above === message.key)
    if (above.length > 0) parts.push({ notices: above, messages: [] })
    parts.at(-1)?.messages.push(message)
  }
  return [...parts, { notices: notices.filter((notice) => notice.above === undefined), messages: [] }]
}

function Runs({ chat, messages, last }: { chat: Chat; messages: readonly Message[]; last: string | undefined }) {
  return runs(messages, now.value).map((run) => {
    const [first] = run.items
    return (
      first && (
        <div key={first.key} class={first.mine ? 'run mine' : 'run'}>
          <Head run={run} first={first} />
          {run.items.map((message) => (
            <Bubble key={message.key} chat={chat} message={message} last={message.key === last} />
          ))}
        </div>
      )
    )
  })
}

function Older({ chat, onLoad }: { chat: Chat; onLoad: () => void }): ComponentChildren {
  if (!chat.older.value) return null
  return (
    <p class="stamp">
      <button type="button" class="button plain" onClick={onLoad}>
        {text('talk.older')}
      </button>
    </p>
  )
}

/** Messages is the log of a conversation. */
export function Messages({ chat }: { chat: Chat }) {
  const messages = chat.messages.value
  const scroll = useScroll(chat)
  useEffect(scroll.read, [messages])
  const last = messages.filter((message) => message.mine && message.state !== 'failed').at(-1)?.key
  return (
    <>
      <div class="scroll" ref={scroll.box} role="log" aria-label={text('talk.log')} aria-busy={scroll.loading} tabIndex={0} onScroll={scroll.onScroll}>
        <Older chat={chat} onLoad={scroll.loadOlder} />
        {messages.length === 0 && chat.older.value === false && <p class="stamp">{text('talk.empty')}</p>}
        {broken(messages, chat.notices.value).map((part, i) => (
          <div key={part.messages[0]?.key ?? i}>
            <Notices notices={part.notices} />
            <Runs chat={chat} messages={part.messages} last={last} />
          </div>
        ))}
      </div>
      {scroll.away && (
        <button type="button" class="newest" onClick={scroll.toNewest} aria-label={scroll.missed > 0 ? text('talk.newest-count', { count: scroll.missed }) : text('talk.newest')}>
          {scroll.missed > 0 && <span aria-hidden="true">{scroll.missed.toLocaleString()}</span>}
          <DownIcon />
        </button>
      )}
    </>
  )
}
