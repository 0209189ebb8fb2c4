// The frame of a screen: navigation bar, title, scrolling content.
import type { ComponentChildren } from 'preact'
import { text } from '../../text/text'
import { back } from '../router'
import { BackIcon } from './icons'

interface ListScreenProps {
  title: string
  left?: ComponentChildren
  right?: ComponentChildren
  /** Stands between bar and list and does not scroll away. */
  below?: ComponentChildren
  children: ComponentChildren
}

/** ListScreen is the first screen of a tab: a large title that shrinks into the bar. */
export function ListScreen({ title, left, right, below, children }: ListScreenProps) {
  return (
    <>
      <div class="bar">
        <span class="left">{left}</span>
        <span class="small" aria-hidden="true">
          {title}
        </span>
        <span class="right">{right}</span>
      </div>
      <div class="scroll">
        <h1 class="large" tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
      {below}
    </>
  )
}

/** BackLink names where it leads. `top`: its parent is the list, which a wide layout shows anyway. */
export function BackLink({ to, label, top }: { to: string; label: string; top: boolean }) {
  return (
    <a
      class={top ? 'back top' : 'back'}
      href={to}
      aria-label={text('nav.back', { place: label })}
      onClick={(e) => {
        e.preventDefault()
        back(to)
      }}
    >
      <BackIcon />
      <span>{label}</span>
    </a>
  )
}

interface DetailScreenProps {
  /** The bar's heading; left out where the content brings the heading of the screen. */
  title: string | undefined
  parent: { to: string; label: string; top: boolean }
  right?: ComponentChildren
  /** The content is only read: it takes the focus itself, so that the keyboard can scroll it. */
  reading?: boolean
  children: ComponentChildren
}

/** DetailScreen is a screen that was opened from another one. */
export function DetailScreen({ title, parent, right, reading = false, children }: DetailScreenProps) {
  return (
    <>
      <div class="bar">
        <BackLink {...parent} />
        {title !== undefined && <h1 tabIndex={-1}>{title}</h1>}
        <span class="right">{right}</span>
      </div>
      <div class="scroll" tabIndex={reading ? 0 : undefined} role={reading ? 'region' : undefined} aria-label={reading ? title : undefined}>
        {children}
      </div>
    </>
  )
}
