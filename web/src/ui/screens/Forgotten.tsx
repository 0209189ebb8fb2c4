// Forgotten password: the administrator is told. The answer never says whether the address exists.
import { useSignal } from '@preact/signals'
import { about } from '../../core'
import { text } from '../../text/later'
import { forgotten } from '../account'
import { wordsFor } from '../parts/Blank'
import { Door, ToSignIn } from './Door'

/** Forgotten asks for the address. */
export function Forgotten() {
  const address = useSignal('')
  const state = useSignal<'asking' | 'busy' | 'done'>('asking')
  const error = useSignal<unknown>(undefined)
  const there = about.value?.password_url
  const ask = async () => {
    state.value = 'busy'
    error.value = undefined
    try {
      await forgotten(address.peek().trim())
      state.value = 'done'
    } catch (reason) {
      error.value = reason
      state.value = 'asking'
    }
  }
  return (
    <Door title={text('forgotten.title')} lead={state.value === 'done' ? undefined : text('forgotten.lead')}>
      {state.value === 'done' ? (
        <p class="says" role="status">
          {text('forgotten.done')}
        </p>
      ) : (
        <form
          onSubmit={(e) => {
            e.preventDefault()
            void ask()
          }}
        >
          {error.value !== undefined && (
            <p class="says bad" role="alert">
              {wordsFor(error.value)}
            </p>
          )}
          <div class="group">
            <div class="field">
              <label for="address">{text('sign-in.address')}</label>
              <input
                id="address"
                type="text"
                inputMode="email"
                required
                maxLength={320}
                autocomplete="username"
                autocapitalize="off"
                spellcheck={false}
                value={address.value}
                onInput={(e) => (address.value = e.currentTarget.value)}
              />
            </div>
          </div>
          <button type="submit" class="button wide" disabled={state.value === 'busy'}>
            {text('forgotten.button')}
          </button>
        </form>
      )}
      {there !== undefined && (
        <p class="says">
          {text('forgotten.directory')}{' '}
          <a href={there} rel="noreferrer">
            {text('password.go-there')}
          </a>
        </p>
      )}
      <ToSignIn />
    </Door>
  )
}
