// What is stored where in this version. Every sentence must be true of the running system.
import { text, type PlainKey } from '../../text/later'
import { Operator } from '../parts/Operator'
import { DetailScreen } from '../parts/Screen'
import { href } from '../router'
import { ToSignIn } from './Door'

const sections: readonly { title: PlainKey; sentences: readonly PlainKey[] }[] = [
  {
    title: 'privacy.server',
    sentences: ['privacy.server-account', 'privacy.server-directory', 'privacy.server-devices', 'privacy.server-presence', 'privacy.server-contacts', 'privacy.server-typed', 'privacy.server-messages', 'privacy.server-marks', 'privacy.server-trail'],
  },
  { title: 'privacy.device', sentences: ['privacy.device-history', 'privacy.device-contacts', 'privacy.device-key', 'privacy.device-other', 'privacy.device-delete', 'privacy.device-compaction'] },
  { title: 'privacy.others', sentences: ['privacy.others-card', 'privacy.others-picture', 'privacy.others-presence', 'privacy.others-zone'] },
  { title: 'privacy.never', sentences: ['privacy.never-place', 'privacy.never-third', 'privacy.never-read'] },
]

function Statement() {
  return (
    <div class="prose">
      <p class="warning">{text('emergency')}</p>
      <Operator />
      <p>{text('privacy.intro')}</p>
      {sections.map(({ title, sentences }) => (
        <section key={title} aria-labelledby={title}>
          <h2 id={title}>{text(title)}</h2>
          <ul>
            {sentences.map((key) => (
              <li key={key}>{text(key)}</li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

/** Privacy is the page inside the app. */
export function Privacy() {
  return (
    <DetailScreen reading title={text('privacy.title')} parent={{ to: href('info'), label: text('tab.info'), top: true }}>
      <Statement />
    </DetailScreen>
  )
}

/** PrivacyPage is the same without a session. */
export function PrivacyPage() {
  return (
    <main class="door-page">
      <div class="door">
        <h1 tabIndex={-1}>{text('privacy.title')}</h1>
        <Statement />
        <ToSignIn />
      </div>
    </main>
  )
}
