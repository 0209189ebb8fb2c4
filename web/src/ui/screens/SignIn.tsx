// The sign-in screen.
import { signal, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { about, ApiError, ended, iOS, signIn, standalone, type EndReason } from '../../core'
import { text, wireText, type PlainKey } from '../../text/text'
import { placeOf, type Place } from '../account'
import { wordsFor } from '../parts/Blank'
import { Operator } from '../parts/Operator'
import { PasswordField } from '../parts/Password'
import { href } from '../router'
import { Door } from './Door'

/** prefilled is the address that an invitation was for, for the sign-in that follows it. */
export const prefilled = signal('')

const endedKeys: Readonly<Record<EndReason, PlainKey>> = {
  'signed-out': 'ended.signed-out',
  revoked: 'ended.revoked',
  disabled: 'ended.disabled',
  expired: 'ended.expired',
  password: 'ended.password',
  replaced: 'ended.replaced',
}

/** Trouble is why a sign-in did not happen. */
type Trouble = { readonly why: 'refused'; readonly error: unknown } | { readonly why: 'elsewhere'; readonly server: string } | { readonly why: 'unknown' }

/** later says how long to wait, in minutes once it is more than one. */
function later(seconds: number): string {
  return seconds < 90 ? text('sign-in.too-many-seconds', { count: Math.max(1, Math.ceil(seconds)) }) : text('sign-in.too-many-minutes', { count: Math.ceil(seconds / 60) })
}

function refused(error: unknown): string {
  if (!(error instanceof ApiError)) return wordsFor(error)
  if (error.kind === 'sign-in') return wireText('refusal', error.key) ?? text('refusal.sign-in.wrong')
  if (error.kind === 'too-many' && error.retryAfter !== undefined) return later(error.retryAfter)
  return wordsFor(error)
}

/** Refusals that a new password ends. */
const wantsPassword = ['sign-in.password-expired', 'sign-in.password-must-change']

/** PasswordPlace leads to where the organisation has its passwords changed. */
function PasswordPlace({ error }: { error: unknown }) {
  const there = about.value?.password_url
  if (there === undefined || !(error instanceof ApiError) || !wantsPassword.includes(error.key)) return null
  return (
    <p>
      <a href={there} rel="noreferrer">
        {text('password.go-there')}
      </a>
    </p>
  )
}

function Says({ trouble, onHere }: { trouble: Trouble; onHere: () => void }) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => box.current?.focus(), [trouble])
  return (
    <div class="says bad" role="alert" tabIndex={-1} ref={box} id="trouble">
      {trouble.why === 'refused' && (
        <>
          <p>{refused(trouble.error)}</p>
          <PasswordPlace error={trouble.error} />
        </>
      )}
      {trouble.why === 'unknown' && (
        <>
          <p>{text('sign-in.no-server')}</p>
          <button type="button" class="link" onClick={onHere}>
            {text('sign-in.here')}
          </button>
        </>
      )}
      {trouble.why === 'elsewhere' && (
        <p>
          {text('sign-in.elsewhere')} <a href={trouble.server}>{trouble.server}</a>
        </p>
      )}
    </div>
  )
}

/** Install explains the Home Screen to somebody who uses the page in a browser of an iPhone. */
function Install() {
  if (!iOS || standalone) return null
  return (
    <section class="steps" aria-labelledby="install">
      <h2 id="install">
        {text('install.title')}
      </h2>
      <p>{text('install.why')}</p>
      <ol>
        <li>{text('install.share')}</li>
        <li>{text('install.add')}</li>
        <li>{text('install.open')}</li>
      </ol>
    </section>
  )
}

function Form() {
  const address = useSignal(prefilled.peek())
  const password = useSignal('')
  const busy = useSignal(false)
  const trouble = useSignal<Trouble | undefined>(undefined)
  // `here`: the person says that the name is one of this server's, such as a UPN of a domain that only its directory knows.
  const attempt = async (here = false) => {
    busy.value = true
    trouble.value = undefined
    try {
      if (!/^\S+$/.test(address.peek().trim())) throw new ApiError('invalid', 'address.invalid', 'address')
      // The password goes to no server that does not serve this address.
      const place: Place = here ? { at: 'here' } : await placeOf(address.peek().trim())
      if (place.at === 'elsewhere') trouble.value = { why: 'elsewhere', server: place.server }
      else if (place.at === 'unknown') trouble.value = { why: 'unknown' }
      else await signIn({ address: address.peek().trim(), password: password.peek() })
    } catch (error) {
      trouble.value = { why: 'refused', error }
    } finally {
      busy.value = false
    }
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (!busy.peek()) void attempt()
      }}
    >
      {trouble.value && <Says trouble={trouble.value} onHere={() => void attempt(true)} />}
      <div class="group">
        <div class="field">
          <label for="address">{text('sign-in.address')}</label>
          <input
            id="address"
            type="text"
            inputMode="email"
            value={address.value}
            required
            maxLength={320}
            autocomplete="username"
            autocapitalize="off"
            autocorrect="off"
            spellcheck={false}
            aria-invalid={trouble.value !== undefined}
            aria-describedby={trouble.value ? 'trouble' : undefined}
            onInput={(e) => (address.value = e.currentTarget.value)}
          />
        </div>
        <PasswordField
          label={text('sign-in.password')}
          value={password.value}
          autocomplete="current-password"
          wrong={trouble.value?.why === 'refused'}
          describedBy={trouble.value ? 'trouble' : undefined}
          onInput={(v) => (password.value = v)}
        />
      </div>
      <button type="submit" class="button wide" disabled={busy.value}>
        {text(busy.value ? 'sign-in.signing-in' : 'sign-in.button')}
      </button>
    </form>
  )
}

/** SignIn is the first screen of the app. */
export function SignIn() {
  return (
    <Door title={text('app.name')} lead={about.value?.name}>
      {ended.value && (
        <p class="says" role="status">
          {text(endedKeys[ended.value])}
        </p>
      )}
      <Form />
      <p class="links">
        <a href={href('forgotten')}>{text('forgotten.link')}</a>
        <a href={href('privacy')}>{text('privacy.title')}</a>
      </p>
      <Operator />
      <p class="warning">{text('emergency')}</p>
      <Install />
    </Door>
  )
}
