// Phone numbers: those of the directory, and those that the person typed.
import type { ComponentChildren } from 'preact'
import { useSignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ApiError, card, session, setPhones, settings, type Phone } from '../../../core'
import { text, wireText } from '../../../text/later'
import { announce, complain, offerUndo } from '../../announce'
import { wordsFor } from '../../parts/Blank'
import { EraseIcon } from '../../parts/icons'
import { CopyButton, NumberWords } from '../../parts/Number'
import { ButtonRow, LinkRow, List } from '../../parts/rows'
import { DetailScreen } from '../../parts/Screen'
import { Sheet } from '../../parts/Sheet'
import { atDesk } from '../../people'
import { copied, internationalOf, readable, telHref } from '../../tel'
import { ReadOnly } from './ReadOnly'
import { toSettings } from './parent'

/** limit is how many numbers one may type. */
const limit = 10
const kinds = ['mobile', 'work', 'home', 'other'] as const

const kindOf = (phone: Phone) => wireText('phone-kind', phone.kind) ?? text('phone-kind.other')
const plain = ({ kind, number }: Phone) => ({ kind, number })

/** Add asks for a number; what the server says about it stands at the field. */
function Add({ phones, onClose }: { phones: readonly Phone[]; onClose: () => void }) {
  const kind = useSignal<Phone['kind']>('mobile')
  const number = useSignal('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await setPhones([...phones.map(plain), { kind: kind.peek(), number: number.peek().trim() }])
      announce(text('settings.saved'))
      onClose()
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  const ready = number.value.trim() !== '' && !busy
  return (
    <Sheet label={text('settings.phone-add')} onClose={onClose}>
      <form
        class="block"
        onSubmit={(e) => {
          e.preventDefault()
          if (ready) void save()
        }}
      >
        <div class="tools">
          <button type="button" onClick={onClose}>
            {text('sheet.cancel')}
          </button>
          <h2>{text('settings.phone-add')}</h2>
          <button type="submit" disabled={!ready}>
            {text('group.save')}
          </button>
        </div>
        {error !== undefined && (
          <p class="says bad" role="alert" id="phone-trouble">
            {wordsFor(error)}
          </p>
        )}
        <div class="field">
          <label for="phone-kind">{text('settings.phone-kind')}</label>
          <select id="phone-kind" value={kind.value} onChange={(e) => (kind.value = e.currentTarget.value as Phone['kind'])}>
            {kinds.map((k) => (
              <option key={k} value={k}>
                {wireText('phone-kind', k)}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="phone-number">{text('settings.phone-number')}</label>
          <input
            id="phone-number"
            type="tel"
            dir="ltr"
            autofocus
            maxLength={40}
            autocomplete="off"
            value={number.value}
            aria-invalid={error instanceof ApiError && error.kind === 'invalid'}
            aria-describedby={error === undefined ? undefined : 'phone-trouble'}
            onInput={(e) => (number.value = e.currentTarget.value)}
          />
        </div>
      </form>
    </Sheet>
  )
}

/** PhoneRow is a number that a tap dials, and what else can be done with it. */
function PhoneRow({ phone, children }: { phone: Phone; children?: ComponentChildren }) {
  return (
    <LinkRow
      leaf
      to={telHref(internationalOf(phone) ?? phone.number)}
      title={
        <>
          <small>{kindOf(phone)}</small>
          <NumberWords phone={phone} />
        </>
      }
      aside={
        <>
          <CopyButton what={copied(phone)} />
          {children}
        </>
      }
    />
  )
}

function Typed({ phones }: { phones: readonly Phone[] }) {
  const drop = async (phone: Phone) => {
    const before = phones.map(plain)
    try {
      await setPhones(phones.filter((p) => p !== phone).map(plain))
      offerUndo(text('settings.phone-removed', { number: readable(phone) }), () => setPhones(before), wordsFor)
    } catch (error) {
      complain(wordsFor(error))
    }
  }
  if (phones.length === 0) return <p class="says soft">{text('settings.phones-none')}</p>
  return (
    <List kind="group" label={text('settings.phones-own')}>
      {phones.map((phone) => (
        <PhoneRow key={phone.kind + phone.number} phone={phone}>
          {atDesk() && (
            <button type="button" class="aside" aria-label={text('settings.phone-remove', { number: readable(phone) })} onClick={() => void drop(phone)}>
              <EraseIcon />
            </button>
          )}
        </PhoneRow>
      ))}
    </List>
  )
}

/** useDirectoryPhones are one's own numbers that come from the directory. */
function useDirectoryPhones(): readonly Phone[] {
  const [phones, setPhones] = useState<readonly Phone[]>([])
  const me = session.value?.person.id
  useEffect(() => {
    if (me === undefined) return
    const controller = new AbortController()
    card(me, controller.signal).then((own) => setPhones((own.phones ?? []).filter((p) => !p.typed)), () => undefined)
    return () => controller.abort()
  }, [me])
  return phones
}

/** PhonesPage is the page of Settings. */
export function PhonesPage() {
  const [adding, setAdding] = useState(false)
  const own = settings.value?.phones ?? []
  const listed = useDirectoryPhones()
  return (
    <DetailScreen title={text('settings.phones')} parent={toSettings} reading={!atDesk()}>
      <h2 class="head">{text('settings.phones-own')}</h2>
      <Typed phones={own} />
      {atDesk() && own.length < limit && (
        <List kind="group" label={text('settings.phone-add')}>
          <ButtonRow opens tone="action" title={text('settings.phone-add')} onClick={() => setAdding(true)} />
        </List>
      )}
      {atDesk() && own.length >= limit && <p class="foot">{text('settings.phones-limit', { count: limit })}</p>}
      {listed.length > 0 && (
        <>
          <h2 class="head">{text('settings.phones-directory')}</h2>
          <List kind="group" label={text('settings.phones-directory')}>
            {listed.map((phone) => (
              <PhoneRow key={phone.kind + phone.number} phone={phone} />
            ))}
          </List>
        </>
      )}
      <p class="foot">{text('settings.phones-hint')}</p>
      <ReadOnly />
      {adding && <Add phones={own} onClose={() => setAdding(false)} />}
    </DetailScreen>
  )
}
