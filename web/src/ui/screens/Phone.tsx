// The Phone tab. This version calls with the device's own dialler.
import { effect, signal, untracked } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { session, type FoundRow } from '../../core'
import { text } from '../../text/text'
import { ActionLink } from '../parts/ActionLink'
import { CallIcon, EraseIcon } from '../parts/icons'
import { PersonRow } from '../parts/PersonRow'
import { List } from '../parts/rows'
import { ListScreen } from '../parts/Screen'
import { idsOf, useWatch } from '../parts/Search'
import { peopleSearch } from '../people'
import { href } from '../router'
import { telHref } from '../tel'

const keys = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
] as const

// A number stays when one looks something up in another tab, and goes with the person.
const number = signal('')
const search = peopleSearch(true, true)
const set = (next: string) => {
  number.value = next.slice(0, 60)
  // One digit fits almost everybody.
  search.type(number.peek().replace(/\D/g, '').length < 2 ? '' : number.peek())
}
effect(() => {
  if (session.value === undefined) untracked(() => set(''))
})
const add = (key: string) => set(number.peek() + key)
const erase = () => set(number.peek().slice(0, -1))

/** useKeyboard takes digits typed while no field has the focus. */
function useKeyboard(): void {
  useEffect(() => {
    const typed = (e: KeyboardEvent) => {
      const on = e.target as HTMLElement | null
      if (on?.closest('input, textarea, dialog') || e.ctrlKey || e.metaKey || e.altKey) return
      if (/^[0-9*#+]$/.test(e.key)) add(e.key)
      else if (e.key === 'Backspace') erase()
      else return
      e.preventDefault()
    }
    addEventListener('keydown', typed)
    return () => removeEventListener('keydown', typed)
  }, [])
}

const longPress = 550

/** Key is one key of the pad. Held down, 0 gives a plus. */
function Key({ digit, letters }: { digit: string; letters: string }) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const held = useRef(false)
  const press = () => {
    held.current = false
    if (digit !== '0') return
    timer.current = setTimeout(() => {
      held.current = true
      add('+')
    }, longPress)
  }
  const release = () => clearTimeout(timer.current)
  useEffect(() => release, [])
  return (
    <button
      type="button"
      aria-label={digit}
      title={digit === '0' ? text('phone.hold-for-plus') : undefined}
      onPointerDown={press}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onContextMenu={(e) => e.preventDefault()}
      onClick={() => {
        if (!held.current) add(digit)
        held.current = false
      }}
    >
      {digit}
      <small data-letters={letters} />
    </button>
  )
}

function CallKey() {
  if (telHref(number.value) === undefined) {
    return (
      <button type="button" class="call" aria-label={text('call.with-phone')} disabled aria-disabled="true">
        <CallIcon />
      </button>
    )
  }
  return (
    <ActionLink class="call" to={telHref(number.value)} label={text('call.with-phone')}>
      <CallIcon />
    </ActionLink>
  )
}

/** mostMatches are few enough to be looked through above a pad. */
const mostMatches = 8

/** CallAside calls the number through which somebody was found. */
function CallAside({ row }: { row: FoundRow }) {
  const found = row.matched
  if (found === undefined || !/^[+\d(]/.test(found)) return null
  return (
    <ActionLink class="aside" to={telHref(found)} label={text('phone.call', { name: row.display_name, number: found })}>
      <CallIcon />
    </ActionLink>
  )
}

/**
 * Above is what stands above the number: the emergency sentence, and the people whose number or name the digits begin. These take the place of
 * the title, and the sentence grows smaller for them, so that no key moves under a finger.
 */
function Above() {
  const found = search.found.value
  const people = number.value === '' ? [] : (found?.people ?? []).slice(0, mostMatches)
  useWatch('pad', idsOf(people))
  const any = people.length > 0
  return (
    <div class="above">
      <p class={any ? 'warning phone-warning behind' : 'warning phone-warning'}>{text('emergency')}</p>
      <p class="unseen" role="status">
        {found?.done ? text('search.count', { count: people.length }) : ''}
      </p>
      {any && (
        <div class="over">
          <div class="matches">
            <List kind="plain" label={text('phone.found')}>
              {people.map((row) => (
                <PersonRow key={row.id} row={row} to={href('contacts', row.id)}>
                  <CallAside row={row} />
                </PersonRow>
              ))}
            </List>
          </div>
          <p class="warning phone-warning">{text('emergency')}</p>
        </div>
      )}
    </div>
  )
}

/** Phone is the third tab: emergency sentence, dial pad, calls. */
export function Phone() {
  useKeyboard()
  return (
    <ListScreen title={text('tab.phone')}>
      <Above />
      <div class="number">
        <span class="hold" />
        <input
          type="tel"
          inputMode="none"
          dir="ltr"
          autocomplete="off"
          aria-label={text('phone.number')}
          value={number.value}
          onInput={(e) => set(e.currentTarget.value)}
          onKeyDown={(e) => e.key === 'Enter' && e.currentTarget.closest('.scroll')?.querySelector<HTMLAnchorElement>('a.call')?.click()}
        />
        {number.value === '' ? (
          <span class="hold" />
        ) : (
          <button type="button" aria-label={text('phone.erase')} onClick={erase}>
            <EraseIcon />
          </button>
        )}
      </div>
      <div class="pad" role="group" aria-label={text('phone.pad')}>
        {keys.map(([digit, letters]) => (
          <Key key={digit} digit={digit} letters={letters} />
        ))}
        <CallKey />
      </div>
      <p class="pad-foot">{text('call.with-phone-hint')}</p>
      <h2 class="head">{text('phone.history')}</h2>
      <p class="says soft">{text('phone.history-none')}</p>
    </ListScreen>
  )
}
