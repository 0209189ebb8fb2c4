// Changing the password; the other devices are signed out with it.
import { useState } from 'preact/hooks'
import { about, ApiError, settings } from '../../core'
import { text } from '../../text/later'
import { changePassword } from '../account'
import { announce } from '../announce'
import { wordsFor } from '../parts/Blank'
import { NewPassword, PasswordField, ready } from '../parts/Password'
import { DetailScreen } from '../parts/Screen'
import { back } from '../router'

interface Parent { to: string; label: string; top: boolean }

/** words says what was wrong; a refused sign-in here means the old password. */
function words(error: unknown): string {
  const old = error instanceof ApiError && (error.field === 'current' || error.kind === 'sign-in')
  return old ? text('password.current-wrong') : wordsFor(error)
}

/** Elsewhere is the page of somebody whose password the organisation's directory keeps. */
function Elsewhere({ parent }: { parent: Parent }) {
  const there = about.value?.password_url
  return (
    <DetailScreen title={text('password.title')} parent={parent}>
      <div class="gap" />
      <p class="says">{text('password.elsewhere')}</p>
      {there !== undefined && (
        <a class="button wide" href={there} rel="noreferrer">
          {text('password.go-there')}
        </a>
      )}
    </DetailScreen>
  )
}

/** ChangePassword is a page of Options. */
export function ChangePassword({ parent }: { parent: Parent }) {
  return settings.value?.password === 'directory' ? <Elsewhere parent={parent} /> : <Here parent={parent} />
}

function Here({ parent }: { parent: Parent }) {
  const [current, setCurrent] = useState('')
  const [first, setFirst] = useState('')
  const [second, setSecond] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const change = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await changePassword(current, first)
      announce(text('password.changed'))
      back(parent.to)
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  return (
    <DetailScreen title={text('password.title')} parent={parent}>
      <div class="gap" />
      <form
        onSubmit={(e) => {
          e.preventDefault()
          if (ready(first, second)) void change()
        }}
      >
        {error !== undefined && (
          <p class="says bad" role="alert">
            {words(error)}
          </p>
        )}
        <div class="group">
          <PasswordField label={text('password.current')} value={current} autocomplete="current-password" onInput={setCurrent} />
        </div>
        <NewPassword first={first} second={second} onFirst={setFirst} onSecond={setSecond} />
        <button type="submit" class="button wide" disabled={busy || current === '' || !ready(first, second)}>
          {text('password.title')}
        </button>
        <p class="says soft">{text('password.others')}</p>
      </form>
    </DetailScreen>
  )
}
