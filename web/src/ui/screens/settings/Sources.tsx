// Contacts sources: what the person has brought along to this device, and the ways to bring more.
import { useEffect, useState } from 'preact/hooks'
import { deviceBook, knownPeople, sourcesEngine, type Parsed, type SourceItem } from '../../../core'
import { text } from '../../../text/later'
import { announce, complain } from '../../announce'
import { moment } from '../../format'
import { now } from '../../now'
import { wordsFor } from '../../parts/Blank'
import { EraseIcon } from '../../parts/icons'
import { List } from '../../parts/rows'
import { DetailScreen } from '../../parts/Screen'
import { Cancel, Sheet } from '../../parts/Sheet'
import { pickContacts, picks } from '../../picker'
import { ConnectBook, ReadAgain } from './AddressBook'
import { toSettings } from './parent'

const largestMB = 64
/** As many cards as the engine takes (core/sources/read.ts, which is loaded with the first file). */
const mostCards = 20_000
const mostLines = 5

/** Waiting is a file that has been read and not been taken over yet. */
interface Waiting { readonly name: string; readonly parsed: Parsed; readonly match: number }

/** failed says that something could not be kept or read. */
export const failed = (error: unknown): void => complain(error instanceof Error && error.name === 'ApiError' ? wordsFor(error) : text('sources.failed'))

/** Preview says what is in a file before anything of it is kept. */
function Preview({ waiting: { name, parsed, match }, onClose }: { waiting: Waiting; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const { cards, broken, left = 0 } = parsed
  const same = deviceBook.value?.sources.find((source) => source.kind === 'device' && source.name === name)
  const take = async (replaced?: string) => {
    setBusy(true)
    try {
      await (await sourcesEngine()).takeOver(name, parsed, replaced)
      announce(text('sources.taken', { count: cards.length }))
    } catch (error) {
      failed(error)
    }
    onClose()
  }
  const title = text('sources.preview', { name })
  return (
    <Sheet label={title} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{title}</h2>
          <p>{text('sources.preview-count', { count: cards.length })}</p>
          {match > 0 && <p>{text('sources.preview-match', { count: match })}</p>}
          {broken.length > 0 && <p>{text('sources.preview-broken', { count: broken.length, lines: broken.slice(0, mostLines).join(', ') + (broken.length > mostLines ? ', …' : '') })}</p>}
          {left > 0 && <p>{text('sources.preview-left', { count: left, limit: mostCards })}</p>}
          <p>{text('sources.preview-sample', { names: cards.slice(0, 3).map((c) => c.name).join(', ') })}</p>
          {same && <p>{text('sources.preview-same', { name, count: same.count })}</p>}
        </div>
        <button type="button" disabled={busy} onClick={() => void take()}>
          {text(busy ? 'sources.reading' : same ? 'sources.keep-both' : 'sources.take')}
        </button>
        {same && (
          <button type="button" disabled={busy} onClick={() => void take(same.id)}>
            {text('sources.replace', { name, count: same.count })}
          </button>
        )}
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

function Add() {
  const [read, setRead] = useState<number>()
  const [trouble, setTrouble] = useState<string>()
  const [waiting, setWaiting] = useState<Waiting>()
  const [connecting, setConnecting] = useState(false)
  const take = async (files: readonly File[]) => {
    setTrouble(undefined)
    if (files.some((file) => file.size > largestMB << 20)) return setTrouble(text('sources.too-large', { limit: largestMB }))
    setRead(0)
    try {
      const engine = await sourcesEngine()
      await engine.ready()
      const parsed = await engine.preview(files, setRead)
      if (parsed.cards.length === 0) setTrouble(text('sources.nothing'))
      else setWaiting({ name: engine.nameOfFiles(files.map((file) => file.name)), parsed, match: engine.knownAmong(parsed.cards, knownPeople()) })
    } catch (error) {
      failed(error)
    } finally {
      setRead(undefined)
    }
  }
  const pick = async () => {
    try {
      const parsed = await pickContacts()
      if (parsed.cards.length === 0) return
      await (await sourcesEngine()).addPicked(text('sources.picked'), parsed)
      announce(text('sources.taken', { count: parsed.cards.length }))
    } catch (error) {
      failed(error)
    }
  }
  return (
    <>
      <h2 class="head">{text('sources.add')}</h2>
      <div class="group">
        <label class="row action file">
          <span class="main">{read === undefined ? text('sources.import') : text('sources.reading-count', { count: read })}</span>
          <input
            type="file"
            multiple
            accept=".vcf,.vcard,.csv,.tsv,.txt,text/vcard,text/x-vcard,text/csv"
            disabled={read !== undefined}
            onChange={(e) => {
              const files = [...(e.currentTarget.files ?? [])]
              e.currentTarget.value = ''
              if (files.length > 0) void take(files)
            }}
          />
        </label>
        {picks() && (
          <button type="button" class="row action" onClick={() => void pick()}>
            <span class="main">{text('sources.pick')}</span>
          </button>
        )}
      </div>
      <p class="foot">{text('sources.import-hint')}</p>
      {trouble !== undefined && (
        <p class="says bad" role="alert">
          {trouble}
        </p>
      )}
      <ConnectBook open={connecting} onOpen={() => setConnecting(true)} onClose={() => setConnecting(false)} />
      {waiting && <Preview waiting={waiting} onClose={() => setWaiting(undefined)} />}
    </>
  )
}

function RemoveSheet({ source, onClose }: { source: SourceItem; onClose: () => void }) {
  const remove = async () => {
    onClose()
    try {
      await (await sourcesEngine()).removeSource(source.id)
      announce(text('sources.removed', { name: source.name }))
    } catch (error) {
      failed(error)
    }
  }
  const question = text('sources.remove-question', { name: source.name })
  return (
    <Sheet label={question} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{question}</h2>
          <p>{text('sources.remove-hint')}</p>
        </div>
        <button type="button" class="danger" onClick={() => void remove()}>
          {text('sources.remove-do')}
        </button>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}

function Source({ source }: { source: SourceItem }) {
  const [removing, setRemoving] = useState(false)
  const turn = async () => {
    try {
      await (await sourcesEngine()).switchSource(source.id, !source.on)
    } catch (error) {
      failed(error)
    }
  }
  return (
    <>
      <li class="sided">
        <label class="row">
          <span class="main fact">
            <bdi>{source.name}</bdi>
            <small>
              {text('sources.count', { count: source.count })} · {text('sources.when', { when: moment(source.at, now.value) })}
            </small>
            {(source.left ?? 0) > 0 && <small>{text('sources.left', { count: source.left ?? 0, limit: mostCards })}</small>}
            {source.skipped > 0 && <small>{text('sources.skipped', { count: source.skipped })}</small>}
          </span>
          <input class="switch" type="checkbox" role="switch" aria-label={text('sources.on', { name: source.name })} checked={source.on} onChange={() => void turn()} />
        </label>
        <button type="button" class="aside" aria-label={text('sources.remove', { name: source.name })} onClick={() => setRemoving(true)}>
          <EraseIcon />
        </button>
        {removing && <RemoveSheet source={source} onClose={() => setRemoving(false)} />}
      </li>
      {source.kind === 'address-book' && <ReadAgain source={source} />}
    </>
  )
}

/** Sources is the page of Settings. */
export function Sources() {
  const list = deviceBook.value?.sources ?? []
  useEffect(() => void sourcesEngine().then((e) => e.ready()).catch(failed), [])
  return (
    <DetailScreen title={text('sources.title')} parent={toSettings}>
      <div class="gap" />
      {list.length === 0 ? (
        <p class="says soft">{text('sources.none')}</p>
      ) : (
        <List kind="group" label={text('sources.list')}>
          {list.map((source) => (
            <Source key={source.id} source={source} />
          ))}
        </List>
      )}
      <p class="foot">{text('sources.hint')}</p>
      <Add />
    </DetailScreen>
  )
}

