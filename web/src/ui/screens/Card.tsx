// A contact card: what this viewer may see of a person, and what one can do.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { card, deviceBook, cardChanges, connection, isDeviceId, person, session, type Card as CardData, type Merged, type Phone, type Presence, type Value } from '../../core'
import { presenceText } from '../../text/presence'
import { text, wireText } from '../../text/later'
import { localTime, moment, zoneName } from '../format'
import { later } from '../later'
import { mailHref } from '../mail'
import { now } from '../now'
import { ActionLink } from '../parts/ActionLink'
import { Bones, Failure } from '../parts/Blank'
import { CallIcon, ChatsIcon, MailIcon, MeetIcon } from '../parts/icons'
import { Dot, Face } from '../parts/Face'
import { CopyButton, NumberWords } from '../parts/Number'
import { PersonRow, stateOf } from '../parts/PersonRow'
import { Fact, LinkRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { idsOf, useWatch } from '../parts/Search'
import { Cancel, Sheet } from '../parts/Sheet'
import { InContacts, Told } from '../parts/Told'
import { atDesk, conversationHref } from '../people'
import { href } from '../router'
import { copied, readable, telHref } from '../tel'
import { hasDevice, joinedCard, saying } from '../told'

/** useCard fetches a card; a newer answer replaces the older one, and the device's own row stands in until it is there. */
function useCard(who: string) {
  const [card_, setCard] = useState<CardData>()
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  const online = connection.value === 'online'
  const changes = cardChanges(card_?.id ?? who).value
  useEffect(() => {
    const controller = new AbortController()
    card(who, controller.signal).then(
      (value) => {
        setCard(value)
        setError(undefined)
      },
      (reason: unknown) => controller.signal.aborted || setError(reason),
    )
    return () => controller.abort()
  }, [who, attempt, online, changes])
  return { card: card_, error, retry: () => setAttempt(attempt + 1) }
}

const phoneKind = (phone: Phone) => wireText('phone-kind', phone.kind) ?? text('phone-kind.other')

/** PresenceLine is the state in words: since when, until when, from what source, as far as the viewer may know. */
function PresenceLine({ state }: { state: Presence }) {
  const facts = [
    state.since === undefined ? undefined : text('presence.since', { when: moment(state.since, now.value) }),
    state.until === undefined ? undefined : text('presence.until', { when: moment(state.until, now.value) }),
    wireText('source', state.source),
    state.availability >= 15_000 && state.last_active !== undefined ? text('presence.last-active', { when: moment(state.last_active, now.value) }) : undefined,
  ].filter((fact) => fact !== undefined)
  return (
    <>
      <p class="presence">
        <Dot presence={state} />
        <span>{presenceText(state)}</span>
      </p>
      {facts.length > 0 && <p class="soft presence">{facts.join(' · ')}</p>}
      {state.out_of_office !== undefined && <p class="note" dir="auto">{state.out_of_office}</p>}
      {state.note !== undefined && state.note !== '' && <p class="note" dir="auto">{state.note}</p>}
    </>
  )
}

function LocalTime({ state }: { state: Presence | undefined }) {
  const zone = state?.time_zone
  const time = zone === undefined ? undefined : localTime(zone, now.value)
  if (zone === undefined || time === undefined) return null
  return <p class="soft">{text('card.local-time', { time, place: zoneName(zone) })}</p>
}

/** CallSheet lets one choose a number; the device's own dialler makes the call. */
function CallSheet({ phones, onClose }: { phones: readonly Phone[]; onClose: () => void }) {
  return (
    <Sheet label={text('call.with-phone')} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{text('call.with-phone')}</h2>
          <p>{text('call.with-phone-hint')}</p>
        </div>
        <ul>
          {phones.filter((phone) => telHref(phone.dial ?? phone.number) !== undefined).map((phone) => (
            <li key={phone.kind + phone.number}>
              <a href={telHref(phone.dial ?? phone.number) ?? ''} onClick={onClose}>
                {phoneKind(phone)} <bdi>{readable(phone)}</bdi>
              </a>
            </li>
          ))}
        </ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

function Deeds({ who, phones, mail }: { who: string; phones: readonly Phone[]; mail: string | undefined }) {
  const [calling, setCalling] = useState(false)
  const self = session.value?.person.id === who
  return (
    <div class="deeds">
      {!self && (
        <ActionLink to={conversationHref(who)}>
          <ChatsIcon />
          {text('card.im')}
        </ActionLink>
      )}
      {phones.length > 0 && (
        <button type="button" aria-haspopup="dialog" onClick={() => setCalling(true)}>
          <CallIcon />
          {text('card.call')}
        </button>
      )}
      {mail !== undefined && (
        <ActionLink to={mailHref(mail)}>
          <MailIcon />
          {text('card.email')}
        </ActionLink>
      )}
      {mail !== undefined && !self && (
        <ActionLink to={mailHref(mail, text('card.meet-subject'))} title={text('card.meet-hint')}>
          <MeetIcon />
          {text('card.meet')}
        </ActionLink>
      )}
      {calling && <CallSheet phones={phones} onClose={() => setCalling(false)} />}
    </div>
  )
}

function Section({ title, told, children }: { title: string; told?: ComponentChildren; children: ComponentChildren }) {
  return (
    <>
      <h2 class="head">
        {title} {told}
      </h2>
      {children}
    </>
  )
}

/** CardProps: `joined` is the card with what the device's contacts say, where they say anything; then every value names its sources. */
interface CardProps { data: CardData; joined: Merged | undefined }

/** Sources names where a value of the organisation's card comes from; nothing where the whole card comes from there. */
const Sources = ({ data, joined, said, values }: CardProps & { said: string; values: (joined: Merged) => readonly Value[] }) =>
  joined ? <Told sources={saying(data, values(joined), said)} /> : null

function Facts({ data, joined }: CardProps) {
  const self = session.value?.person.id === data.id
  const facts: [string, string | undefined, (joined: Merged) => readonly Value[]][] = [
    [text('card.title'), data.title, (j) => [j.title]],
    [text('card.department'), data.department, (j) => [j.department]],
    [text('card.company'), data.company, (j) => [j.company]],
    [text('card.office'), data.office, (j) => [j.office]],
    [text('card.alias'), data.alias, () => []],
    [text('card.address'), data.address, (j) => j.addresses],
  ]
  return (
    <List kind="group" label={text('card.details')}>
      {facts.map(
        ([name, value, values]) =>
          value !== undefined &&
          value !== '' && (
            <Fact key={name} name={name}>
              <bdi>{value}</bdi>
              <Sources data={data} joined={joined} said={value} values={values} />
            </Fact>
          ),
      )}
      {!self && data.relationship !== undefined && !atDesk() && <Relationship level={data.relationship} />}
    </List>
  )
}

/** Relationship is what a phone shows of it: the level, what it means, and where it can be changed. */
function Relationship({ level }: { level: string }) {
  const means = wireText('level', level)
  return (
    <Fact name={text('card.relationship')}>
      {wireText('relationship', level)}
      {means !== undefined && <small class="soft">{means}</small>}
      <small class="soft">{text('level.change-on-computer')}</small>
    </Fact>
  )
}

/** Reach are the numbers and mail addresses: a tap on one uses it, the button beside it copies it. */
function Reach({ data, joined }: CardProps) {
  const mails = [data.mail, ...(data.other_mail ?? [])].filter((mail) => mail !== undefined).filter((mail) => mail !== '')
  if ((data.phones?.length ?? 0) + mails.length === 0) return null
  return (
    <List kind="group" label={text('card.reach')}>
      {data.phones?.map((phone) => (
        <LinkRow
          key={phone.kind + phone.number}
          to={telHref(phone.dial ?? phone.number)}
          leaf
          title={
            <>
              <PhoneWords phone={phone} by={data.display_name} />
              {joined && <Told sources={saying(data, joined.phones, phone.number).filter((key) => !phone.typed || isDeviceId(key))} />}
            </>
          }
          aside={<CopyButton what={copied(phone)} />}
        />
      ))}
      {mails.map((mail) => (
        <LinkRow
          key={mail}
          to={mailHref(mail)}
          leaf
          title={
            <>
              <small>{text('card.mail')}</small>
              <bdi>{mail}</bdi>
              <Sources data={data} joined={joined} said={mail} values={(j) => [...j.mails, ...j.addresses]} />
            </>
          }
          aside={<CopyButton what={mail} />}
        />
      ))}
    </List>
  )
}

const PhoneWords = ({ phone, by }: { phone: Phone; by: string }) => (
  <>
    <small>
      {phoneKind(phone)}
      {phone.typed && ` · ${text('card.typed', { name: by })}`}
    </small>
    <NumberWords phone={phone} />
  </>
)

const FromDevice = later<{ data: CardData }>(() => import('./DeviceCard').then((m) => m.FromDevice), () => null)
const DeskCard = later<{ data: CardData; onChanged: () => void }>(() => import('../desk/Card').then((m) => m.DeskCard), () => null)

function Everything({ data, onChanged }: { data: CardData; onChanged: () => void }) {
  const self = session.value?.person.id === data.id
  const merged = joinedCard(data)
  const joined = hasDevice(merged) ? merged : undefined
  const told = joined && <Told sources={[`directory:${data.id}`]} />
  useWatch('card', idsOf([data, ...(data.manager ? [data.manager] : []), ...(data.reports ?? [])]))
  return (
    <>
      <Deeds who={data.id} phones={data.phones ?? []} mail={data.mail} />
      <Reach data={data} joined={joined} />
      {!self && deviceBook.value !== undefined && <FromDevice data={data} />}
      {atDesk() && !self && <DeskCard data={data} onChanged={onChanged} />}
      <Facts data={data} joined={joined} />
      {!joined && <p class="foot">{text('sources.all')}</p>}
      {!self && <InContacts who={data.id} />}
      {data.manager && (
        <Section title={text('card.manager')} told={told}>
          <List kind="group">
            <PersonRow row={data.manager} to={href('contacts', data.manager.id)} />
          </List>
        </Section>
      )}
      {data.reports && data.reports.length > 0 && (
        <Section title={text('card.reports')} told={told}>
          <List kind="group">
            {data.reports.map((row) => (
              <PersonRow key={row.id} row={row} to={href('contacts', row.id)} />
            ))}
          </List>
        </Section>
      )}
    </>
  )
}

/** NameSources says where name and picture come from. The picture of somebody of the organisation is the organisation's. */
function NameSources({ data }: { data: CardData }) {
  const merged = joinedCard(data)
  if (!hasDevice(merged)) return null
  return (
    <div>
      <Told of={text('sources.name')} sources={saying(data, [merged.name], data.display_name)} />
      {data.photo !== undefined && <Told of={text('sources.picture')} sources={merged.photo.sources} />}
    </div>
  )
}

/** Card is the card of one person; `who` is an id or a sign-in address. */
export function Card({ who }: { who: string }) {
  const { card: data, error, retry } = useCard(who)
  // An address is no id: whose it is only the server can say.
  const id = data?.id ?? (who.includes('@') ? undefined : who)
  const row = (id === undefined ? undefined : person(id).value) ?? data
  const state = stateOf(id)
  return (
    <DetailScreen title={row ? undefined : text('card.name')} parent={{ to: href('contacts'), label: text('tab.contacts'), top: true }}>
      {row && (
        <div class="top-card">
          <Face row={row} size="large" presence={state} />
          <h1 tabIndex={-1}>
            <bdi>{row.display_name}</bdi>
          </h1>
          {data && <NameSources data={data} />}
          {state && <PresenceLine state={state} />}
          <LocalTime state={state} />
        </div>
      )}
      {data ? <Everything data={data} onChanged={retry} /> : error !== undefined ? <Failure error={error} onRetry={retry} /> : <Bones rows={4} />}
    </DetailScreen>
  )
}
