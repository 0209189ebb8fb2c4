// An invitation: somebody chooses the first password, then signs in with it.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, phase } from '../../core'
import { text } from '../../text/later'
import { acceptInvitation, invitation } from '../account'
import { Bones, Failure, wordsFor } from '../parts/Blank'
import { NewPassword, ready } from '../parts/Password'
import { go, href } from '../router'
import { Door, ToSignIn } from './Door'
import { prefilled } from './SignIn'

interface Invited { address: string; display_name: string }

function Choose({ code, invited }: { code: string; invited: Invited }) {
  const first = useSignal('')
  const second = useSignal('')
  const busy = useSignal(false)
  const error = useSignal<unknown>(undefined)
  const choose = async () => {
    busy.value = true
    error.value = undefined
    try {
      await acceptInvitation(code, first.peek())
      prefilled.value = invited.address
      go(href('contacts'), true)
    } catch (reason) {
      error.value = reason
      busy.value = false
    }
  }
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault()
        if (ready(first.peek(), second.peek())) void choose()
      }}
    >
      {error.value !== undefined && (
        <p class="says bad" role="alert">
          {wordsFor(error.value)}
        </p>
      )}
      <input class="unseen" type="text" tabIndex={-1} aria-hidden="true" autocomplete="username" value={invited.address} readOnly />
      <NewPassword first={first.value} second={second.value} onFirst={(v) => (first.value = v)} onSecond={(v) => (second.value = v)} />
      <button type="submit" class="button wide" disabled={busy.value || !ready(first.value, second.value)}>
        {text('invitation.button')}
      </button>
    </form>
  )
}

/** gone tells an invitation that does not stand from one that could not be asked for. */
const gone = (error: unknown) => error instanceof ApiError && error.kind === 'not-found'

/** Invitation is the page that an invitation's link opens. */
export function Invitation({ code }: { code: string }) {
  const invited = useSignal<Invited | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const load = () => {
    error.value = undefined
    invitation(code).then(
      (found) => (invited.value = found),
      (reason: unknown) => (error.value = reason),
    )
  }
  useEffect(load, [code])
  if (phase.value === 'ready') {
    return (
      <Door title={text('invitation.title')} lead={text('invitation.signed-in')}>
        <p class="links">
          <a href={href('info')}>{text('tab.info')}</a>
        </p>
      </Door>
    )
  }
  const found = invited.value
  return (
    <Door title={text('invitation.title')} lead={found && text('invitation.for', { name: found.display_name, address: found.address })}>
      {gone(error.value) ? <p class="says">{text('invitation.gone')}</p> : error.value !== undefined ? <Failure error={error.value} onRetry={load} /> : found ? <Choose code={code} invited={found} /> : <Bones rows={2} />}
      <ToSignIn />
    </Door>
  )
}
