// What is on screen, by where the app stands.
import { useErrorBoundary } from 'preact/hooks'
import { phase } from '../core'
import { text } from '../text/text'
import { announcement, complaint, hold, offer } from './announce'
import { later } from './later'
import { go, href, route } from './router'
import { Door } from './screens/Door'
import { SignIn } from './screens/SignIn'
import { Shell } from './Shell'

const Forgotten = later(() => import('./screens/Forgotten').then((m) => m.Forgotten))
const Invitation = later<{ code: string }>(() => import('./screens/Invitation').then((m) => m.Invitation))
const PrivacyPage = later(() => import('./screens/Privacy').then((m) => m.PrivacyPage))

/** Insecure explains why nothing works over plain HTTP from another machine, and what to do. */
function Insecure() {
  return (
    <Door title={text('insecure.title')} lead={text('insecure.why')}>
      <div class="prose">
        <ul>
          <li>{text('insecure.https')}</li>
          <li>{text('insecure.localhost')}</li>
          <li>{text('insecure.lan')}</li>
        </ul>
      </div>
    </Door>
  )
}

function Reload({ title, lead, action }: { title: string; lead: string; action: string }) {
  return (
    <Door title={title} lead={lead}>
      <button type="button" class="button wide" onClick={() => location.reload()}>
        {action}
      </button>
    </Door>
  )
}

/** Broken stands where a screen threw. */
function Broken({ onRetry }: { onRetry: () => void }) {
  const retry = () => {
    go(href('contacts'), true)
    onRetry()
  }
  return (
    <Door title={text('broken.title')} lead={text('broken.why')}>
      <button type="button" class="button wide" onClick={retry}>
        {text('state.try-again')}
      </button>
    </Door>
  )
}

function Outside() {
  switch (route.value.section) {
    case 'privacy':
      return <PrivacyPage />
    case 'forgotten':
      return <Forgotten />
    default:
      return <SignIn />
  }
}

function Stage() {
  const { section, rest } = route.value
  const now = phase.value
  switch (now) {
    case 'starting':
      return (
        <div class="door-page" role="status">
          <span class="unseen">{text('state.loading')}</span>
        </div>
      )
    case 'insecure':
      return <Insecure />
    case 'no-storage':
      return <Reload title={text('no-storage.title')} lead={text('no-storage.why')} action={text('state.try-again')} />
    case 'other-tab-upgrade':
      return <Reload title={text('upgraded.title')} lead={text('upgraded.why')} action={text('upgraded.reload')} />
    case 'signed-out':
    case 'ready':
      if (section === 'invitation') return <Invitation code={rest[0] ?? ''} />
      return now === 'ready' ? <Shell /> : <Outside />
  }
}

/** Undo shows what was done a moment ago, with the way back. */
function Undo() {
  const now = offer.value
  return (
    <div class={now ? 'complaint offer' : 'unseen'} role="status">
      {now && (
        <>
          <span>{now.words}</span>
          <button type="button" onClick={now.run} onFocus={() => hold(true)} onBlur={() => hold(false)} onPointerEnter={() => hold(true)} onPointerLeave={() => hold(false)}>
            {now.action}
          </button>
        </>
      )}
    </div>
  )
}

/** App is everything, with the one live region that speaks. A screen that fails takes no other with it. */
export function App() {
  const [broken, mend] = useErrorBoundary((error: unknown) => console.error(error))
  return (
    <>
      {broken ? <Broken onRetry={mend} /> : <Stage />}
      <div class={complaint.value === '' ? 'unseen' : 'complaint'} role="alert">
        {complaint.value}
      </div>
      <Undo />
      <div class="unseen" aria-live="polite" id="announcement">
        {announcement.value}
      </div>
    </>
  )
}
