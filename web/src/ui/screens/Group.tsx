// A group of the directory: who is in it, and writing to all of them.
import { useEffect, useState } from 'preact/hooks'
import { connection, directoryGroup, type DirectoryGroup } from '../../core'
import { text } from '../../text/later'
import { later } from '../later'
import { mailHref } from '../mail'
import { ActionLink } from '../parts/ActionLink'
import { Bones, Failure, wordsFor } from '../parts/Blank'
import { ChatsIcon, ContactsIcon, MailIcon } from '../parts/icons'
import { GroupRow, PersonRow } from '../parts/PersonRow'
import { ButtonRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { idsOf, useWatch } from '../parts/Search'
import { complain } from '../announce'
import { atDesk } from '../people'
import { href } from '../router'

/** useGroup fetches the first page of a group, and further ones when they are asked for. */
function useGroup(id: string) {
  const [group, setGroup] = useState<DirectoryGroup>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const [attempt, setAttempt] = useState(0)
  const online = connection.value === 'online'
  useEffect(() => {
    const controller = new AbortController()
    directoryGroup(id, undefined, controller.signal).then(
      (value) => {
        setGroup(value)
        setError(undefined)
      },
      (reason: unknown) => controller.signal.aborted || setError(reason),
    )
    return () => controller.abort()
  }, [id, attempt, online])
  const more = async () => {
    if (!group) return
    setBusy(true)
    try {
      const next = await directoryGroup(id, group.people.at(-1)?.id)
      setGroup({ ...next, people: [...group.people, ...next.people] })
    } catch (reason) {
      complain(wordsFor(reason))
    } finally {
      setBusy(false)
    }
  }
  return { group, error, busy, more, retry: () => setAttempt((n) => n + 1) }
}

const DeskRows = later<{ who: string; name: string }>(() => import('../desk/Card').then((m) => m.ContactRows), () => null)

function Members({ group, busy, onMore }: { group: DirectoryGroup; busy: boolean; onMore: () => void }) {
  useWatch('group', idsOf(group.people))
  return (
    <>
      {group.groups.length > 0 && (
        <>
          <h2 class="head">{text('list.groups')}</h2>
          <List kind="group" label={text('list.groups')}>
            {group.groups.map((row) => (
              <GroupRow key={row.id} row={row} to={href('contacts', row.id)} />
            ))}
          </List>
        </>
      )}
      <h2 class="head">{text('list.members')}</h2>
      {group.people.length === 0 ? (
        <p class="says soft">{text('list.none')}</p>
      ) : (
        <List kind="group" label={text('list.members')}>
          {group.people.map((row) => (
            <PersonRow key={row.id} row={row} to={href('contacts', row.id)} />
          ))}
          {group.more && <ButtonRow tone="action" disabled={busy} title={text('list.more')} onClick={onMore} />}
        </List>
      )}
    </>
  )
}

/** Group is the card of a group. */
export function Group({ id }: { id: string }) {
  const { group, error, busy, more, retry } = useGroup(id)
  const mail = group?.mail
  return (
    <DetailScreen title={group ? undefined : text('list.kind')} parent={{ to: href('contacts'), label: text('tab.contacts'), top: true }}>
      {group ? (
        <>
          <div class="top-card">
            <span class="face list big" aria-hidden="true">
              <ContactsIcon />
            </span>
            <h1 tabIndex={-1}>
              <bdi>{group.name}</bdi>
            </h1>
            {group.description !== undefined && <p class="soft" dir="auto">{group.description}</p>}
          </div>
          <div class="deeds">
            <ActionLink to={href('chats', 'new', id)}>
              <ChatsIcon />
              {text('list.everybody')}
            </ActionLink>
            {mail !== undefined && mail !== '' && (
              <ActionLink to={mailHref(mail)}>
                <MailIcon />
                {text('card.email')}
              </ActionLink>
            )}
          </div>
          {atDesk() && (
            <List kind="group" label={text('card.manage')}>
              <DeskRows who={id} name={group.name} />
            </List>
          )}
          <Members group={group} busy={busy} onMore={() => void more()} />
        </>
      ) : error !== undefined ? (
        <Failure error={error} onRetry={retry} />
      ) : (
        <Bones rows={4} />
      )}
    </DetailScreen>
  )
}
