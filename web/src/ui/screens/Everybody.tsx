// One message to everybody in a group of the directory. There are no group conversations yet: each person gets it in the conversation of two.
import type { ReadonlySignal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { keep, kept, mostRecipients, person, recipients, sendToAll, type Progress, type Recipients } from '../../core'
import { refusalText, text } from '../../text/later'
import { announce } from '../announce'
import { Bones, Failure, wordsFor } from '../parts/Blank'
import { LinkRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { conversationHref } from '../people'
import { href } from '../router'

function useRecipients(group: string) {
  const [found, setFound] = useState<Recipients>()
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    setError(undefined)
    recipients(group, controller.signal).then(setFound, (reason: unknown) => controller.signal.aborted || setError(reason))
    return () => controller.abort()
  }, [group, attempt])
  return { found, error, retry: () => setAttempt((n) => n + 1) }
}

/** FailedRow leads to the conversation, where the message can be sent again or discarded. */
const FailedRow = ({ id, reason }: { id: string; reason: string }) => (
  <LinkRow
    to={conversationHref(id)}
    title={
      <>
        <bdi class="name">{person(id).value?.display_name ?? text('person.unknown')}</bdi>
        <small>{refusalText({ key: reason })}</small>
      </>
    }
  />
)

/** Under says how far the message has got. */
function Under({ progress }: { progress: Progress }) {
  const { total, sent, failed } = progress
  const over = sent + failed.length === total
  return (
    <>
      <div class="says" role="status">
        <p>{sent === total ? text('everybody.all', { count: total }) : text('everybody.sent', { sent, total })}</p>
        {!over && <p class="soft">{text('everybody.waiting')}</p>}
      </div>
      <progress class="progress" max={total} value={sent} aria-label={text('everybody.title')} />
      {failed.length > 0 && (
        <>
          <h2 class="head">{text('everybody.failed')}</h2>
          <List kind="group" label={text('everybody.failed')}>
            {failed.map(({ person: id, reason }) => (
              <FailedRow key={id} id={id} reason={reason} />
            ))}
          </List>
        </>
      )}
    </>
  )
}

const restMs = 400

/** useDraft are the words for a group: kept on this device until they are sent, like those of a conversation. */
function useDraft(group: string) {
  const words = useSignal('')
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const name = `everybody/${group}`
  const save = () => {
    if (waiting.current === undefined) return
    clearTimeout(waiting.current)
    waiting.current = undefined
    keep(name, words.peek())
  }
  const type = (text: string) => {
    words.value = text
    clearTimeout(waiting.current)
    waiting.current = setTimeout(save, restMs)
  }
  useEffect(() => {
    void kept<string>(name).then((draft) => (words.value ||= draft ?? ''), () => undefined)
    addEventListener('pagehide', save)
    return () => {
      removeEventListener('pagehide', save)
      save()
    }
  }, [])
  return { words, type, save }
}

function Form({ group, to }: { group: string; to: Recipients }) {
  const { words, type, save } = useDraft(group)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const [progress, setProgress] = useState<ReadonlySignal<Progress>>()
  const count = to.people.length
  const send = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const going = await sendToAll(to.people, words.peek())
      type('')
      save()
      setProgress(() => going)
      announce(text('everybody.sent', { sent: going.peek().sent, total: count }))
    } catch (reason) {
      setError(reason)
    } finally {
      setBusy(false)
    }
  }
  if (progress) return <Under progress={progress.value} />
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (!busy && words.peek().trim() !== '') void send()
      }}
    >
      <p class="says">{text('everybody.who', { count, group: to.name })}</p>
      {error !== undefined && (
        <p class="says bad" role="alert">
          {wordsFor(error)}
        </p>
      )}
      <div class="group">
        <div class="field">
          <label for="everybody">{text('talk.message')}</label>
          <textarea id="everybody" dir="auto" value={words.value} onInput={(e) => type(e.currentTarget.value)} />
        </div>
      </div>
      <button type="submit" class="button wide" disabled={busy || words.value.trim() === ''}>
        {text('everybody.send', { count })}
      </button>
    </form>
  )
}

/** Everybody is the page that writes to a group. */
export function Everybody({ group }: { group: string }) {
  const { found, error, retry } = useRecipients(group)
  return (
    <DetailScreen title={text('everybody.title')} parent={{ to: href('chats'), label: text('tab.chats'), top: true }}>
      <div class="gap" />
      {error !== undefined ? (
        <Failure error={error} onRetry={retry} />
      ) : !found ? (
        <>
          <p class="says soft">{text('everybody.counting')}</p>
          <Bones rows={2} />
        </>
      ) : found.people.length === 0 ? (
        <p class="says">{text('everybody.alone')}</p>
      ) : found.people.length > mostRecipients ? (
        <p class="says">{text('everybody.too-many', { count: mostRecipients })}</p>
      ) : (
        <Form group={group} to={found} />
      )}
    </DetailScreen>
  )
}
