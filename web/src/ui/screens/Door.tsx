// The frame of every page that is shown without a session.
import type { ComponentChildren } from 'preact'
import { text } from '../../text/text'
import { Mark } from '../parts/icons'
import { href } from '../router'

interface DoorProps {
  title: string
  lead?: string | undefined
  children?: ComponentChildren
}

/** Door is a page with the app's mark and a heading. */
export function Door({ title, lead, children }: DoorProps) {
  return (
    <main class="door-page">
      <div class="door">
        <Mark />
        <h1 tabIndex={-1}>{title}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
        {children}
      </div>
    </main>
  )
}

/** ToSignIn leads back to the sign-in screen. */
export function ToSignIn() {
  return (
    <p class="links">
      <a href={href('contacts')}>{text('sign-in.back')}</a>
    </p>
  )
}
