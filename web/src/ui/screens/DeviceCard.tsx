// What the device's own contacts say: a card of somebody who is only there, and what they add to a card of the organisation.
import { useState } from 'preact/hooks'
import { deviceBook, isDeviceId, knownPeople, sourcesEngine, sourcesRead, type Card, type DeviceBook, type Merged, type MergedPhone, type RecordKey, type SourceRecord, type Value } from '../../core'
import { text, wireText } from '../../text/later'
import { offerUndo, complain } from '../announce'
import { deviceRow, personIn } from '../device'
import { mailHref } from '../mail'
import { ActionLink } from '../parts/ActionLink'
import { Blank, Bones, wordsFor } from '../parts/Blank'
import { Face } from '../parts/Face'
import { CallIcon, MailIcon } from '../parts/icons'
import { CopyButton } from '../parts/Number'
import { ButtonRow, Fact, LinkRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { Cancel, Sheet } from '../parts/Sheet'
import { Told } from '../parts/Told'
import { matches } from '../match'
import { go, href } from '../router'
import { copied, telHref } from '../tel'
import { contactRecords, hasDevice, joinedCard, onlyDevice, recordOfCard } from '../told'

function Reach({ phones, mails }: { phones: readonly MergedPhone[]; mails: readonly Value[] }) {
  if (phones.length + mails.length === 0) return null
  return (
    <List kind="group" label={text('sources.from-device')}>
      {phones.map((phone) => (
        <LinkRow
          key={phone.text}
          leaf
          to={telHref(phone.dial || phone.text)}
          aside={<CopyButton what={copied({ number: phone.text, dial: phone.dial })} />}
          title={
            <>
              <small>{wireText('phone-kind', phone.kind) ?? text('phone-kind.other')}</small>
              <bdi>{phone.text}</bdi>
              <Told sources={phone.sources} />
            </>
          }
        />
      ))}
      {mails.map((mail) => (
        <LinkRow
          key={mail.text}
          leaf
          to={mailHref(mail.text)}
          aside={<CopyButton what={mail.text} />}
          title={
            <>
              <small>{text('card.mail')}</small>
              <bdi>{mail.text}</bdi>
              <Told sources={mail.sources} />
            </>
          }
        />
      ))}
    </List>
  )
}

/** Differences are what the device's contacts say otherwise, and what only they say. */
function Facts({ merged }: { merged: Merged }) {
  const inDirectory = personIn(merged) !== undefined
  const fields = [
    [text('sources.name'), merged.name],
    [text('card.title'), merged.title],
    [text('card.department'), merged.department],
    [text('card.company'), merged.company],
    [text('card.office'), merged.office],
  ] as const
  const rows = fields.flatMap(([name, field]) => {
    const own = field.text !== '' && onlyDevice(field) && !(field === merged.name && !inDirectory) ? [field] : []
    return [...own, ...field.others].map((value) => ({ name, value }))
  })
  if (rows.length === 0) return null
  return (
    <List kind="group" label={text('card.details')}>
      {rows.map(({ name, value }) => (
        <Fact key={name + value.text} name={name}>
          <bdi>{value.text}</bdi>
          <Told sources={value.sources} />
        </Fact>
      ))}
    </List>
  )
}

/** Cards are the device's records that were joined, each with the way out. */
function Cards({ book, merged }: { book: DeviceBook; merged: Merged }) {
  const records = merged.records.filter((key) => isDeviceId(key))
  const apart = async (key: RecordKey) => {
    const name = book.card(key)?.card.name ?? ''
    try {
      const undo = await (await sourcesEngine()).separate(key, merged.records)
      offerUndo(text('sources.separated', { name }), undo, wordsFor)
    } catch (error) {
      complain(wordsFor(error))
    }
  }
  return (
    <List kind="group" label={text('sources.cards')}>
      {records.map((key) => {
        const held = book.card(key)
        return (
          <li key={key} class="sided">
            <div class="row">
              <span class="main fact">
                <bdi>{held?.card.name}</bdi>
                <Told sources={[key]} />
              </span>
              {merged.records.length > 1 && (
                <button type="button" class="plain" onClick={() => void apart(key)}>
                  {text('sources.not-same')}
                </button>
              )}
            </div>
          </li>
        )
      })}
    </List>
  )
}

/** LinkSheet finds the other side of a link among what this device knows; nobody is asked. */
function LinkSheet({ book, merged, records, onClose }: { book: DeviceBook; merged: Merged; records: readonly SourceRecord[]; onClose: () => void }) {
  const [query, setQuery] = useState('')
  const people = knownPeople()
  const q = query.trim()
  const inDirectory = personIn(merged) !== undefined
  const fromPeople = inDirectory || q === '' ? [] : people.filter((row) => matches(row, q)).map((row) => ({ key: `directory:${row.id}` as RecordKey, name: row.display_name, where: row.address }))
  const fromCards = q === '' ? [] : book.find(q, false, []).flatMap(({ merged: m }) => m.records.filter((key) => isDeviceId(key) && !merged.records.includes(key)))
  const found = [...fromPeople, ...fromCards.map((key) => ({ key, name: book.card(key)?.card.name ?? '', where: book.card(key)?.source.name ?? '' }))].slice(0, 20)
  const choose = async (key: RecordKey) => {
    onClose()
    const mine = merged.records[0]
    if (mine === undefined) return
    try {
      const other = key.startsWith('directory:') ? undefined : book.card(key)
      const more = other ? book.person(other.record, people) : undefined
      const involved = new Map([...people.map(rowOf), ...records].map((r) => [`${r.kind}:${r.id}`, r]))
      for (const k of [...merged.records, ...(more?.records ?? [key])]) {
        const held = book.card(k)
        if (held) involved.set(k, held.record)
      }
      const undo = await (await sourcesEngine()).join([...involved.values()], mine, key)
      offerUndo(text('sources.linked', { name: found.find((f) => f.key === key)?.name ?? '' }), undo, wordsFor)
      if (key.startsWith('directory:') && !inDirectory) go(href('contacts', key.slice('directory:'.length)), true)
    } catch (error) {
      complain(wordsFor(error))
    }
  }
  const title = text('sources.link-title', { name: merged.name.text })
  return (
    <Sheet label={title} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{title}</h2>
        </div>
        <label class="search">
          <input type="search" autofocus aria-label={text('sources.link-search')} placeholder={text('sources.link-search')} maxLength={200} autocomplete="off" value={query} onInput={(e) => setQuery(e.currentTarget.value)} />
        </label>
        <ul>
          {found.map(({ key, name, where }) => (
            <li key={key}>
              <button type="button" onClick={() => void choose(key)}>
                <bdi>{name}</bdi> <small class="soft">{where}</small>
              </button>
            </li>
          ))}
        </ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

const rowOf = (row: { id: string; display_name: string; address: string; mail?: string | undefined; other_mail?: readonly string[] | undefined }): SourceRecord => ({
  kind: 'directory',
  id: row.id,
  name: row.display_name,
  addresses: [row.address],
  mails: [row.mail ?? '', ...(row.other_mail ?? [])].filter((mail) => mail !== ''),
})

function LinkButton({ book, merged, records }: { book: DeviceBook; merged: Merged; records: readonly SourceRecord[] }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <List kind="group" label={text('sources.link')}>
        <ButtonRow opens tone="action" title={text('sources.link')} onClick={() => setOpen(true)} />
      </List>
      {open && <LinkSheet book={book} merged={merged} records={records} onClose={() => setOpen(false)} />}
    </>
  )
}

/** contestedBy are the further people whose address a joined card has. */
function contestedBy(merged: Merged): string {
  const names = new Map(knownPeople().map((row) => [`directory:${row.id}`, row.display_name]))
  return [...new Set(merged.contested.flatMap((c) => c.with))].map((key) => names.get(key) ?? key).join(', ')
}

/** FromDevice is what the device's contacts add to the card of somebody of the organisation. */
export function FromDevice({ data }: { data: Card }) {
  const book = deviceBook.value
  const merged = joinedCard(data)
  if (!book || !merged) return null
  return (
    <>
      {hasDevice(merged) && (
        <section class="from-device">
          <h2 class="head">{text('sources.from-device')}</h2>
          <Reach phones={merged.phones.filter(onlyDevice)} mails={merged.mails.filter(onlyDevice)} />
          <Facts merged={merged} />
          {merged.contested.length > 0 && <p class="foot">{text('sources.contested', { names: contestedBy(merged) })}</p>}
          <h2 class="head">{text('sources.cards')}</h2>
          <Cards book={book} merged={merged} />
        </section>
      )}
      <LinkButton book={book} merged={merged} records={[recordOfCard(data), ...contactRecords(data.id)]} />
    </>
  )
}

/** DeviceCard is the card of somebody who is only among the device's contacts; of somebody who is joined with a person it leads there. */
export function DeviceCard({ id }: { id: string }) {
  const book = deviceBook.value
  const held = book?.card(id)
  const merged = book && held && book.person(held.record, knownPeople())
  const who = merged && personIn(merged)
  const row = merged && deviceRow(merged)
  return (
    <DetailScreen title={row ? undefined : text('card.name')} parent={{ to: href('contacts'), label: text('tab.contacts'), top: true }}>
      {book && merged && row ? (
        <>
          <div class="top-card">
            <Face row={row} size="large" />
            <h1 tabIndex={-1}>
              <bdi>{row.display_name}</bdi>
            </h1>
            <Told sources={merged.name.sources} />
          </div>
          {who !== undefined && (
            <List kind="group" label={text('card.name')}>
              <LinkRow to={href('contacts', who)} title={merged.name.text} />
            </List>
          )}
          <div class="deeds">
            {merged.phones[0] && (
              <ActionLink to={telHref(merged.phones[0].dial || merged.phones[0].text)}>
                <CallIcon />
                {text('card.call')}
              </ActionLink>
            )}
            {merged.mails[0] && (
              <ActionLink to={mailHref(merged.mails[0].text)}>
                <MailIcon />
                {text('card.email')}
              </ActionLink>
            )}
          </div>
          {merged.contested.length > 0 && <p class="foot">{text(who === undefined ? 'sources.several' : 'sources.contested', { names: contestedBy(merged) })}</p>}
          <Reach phones={merged.phones} mails={[...merged.mails, ...merged.addresses]} />
          <Facts merged={merged} />
          {merged.records.length > 1 && <Cards book={book} merged={merged} />}
          <LinkButton book={book} merged={merged} records={[held.record]} />
        </>
      ) : (
        <>{sourcesRead.value ? <Blank>{text('sources.gone')}</Blank> : <Bones rows={3} />}</>
      )}
    </DetailScreen>
  )
}
