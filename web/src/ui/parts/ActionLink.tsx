// A link that acts as a button: it leaves for another program or place, and a person expects Space to work on it too.
import type { ComponentChildren } from 'preact'

interface ActionLinkProps {
  /** Where it leads; without, there is no link. */
  to: string | undefined
  class?: string
  label?: string
  title?: string
  children: ComponentChildren
}

/** ActionLink is announced as a button. Its address can still be copied and opened elsewhere. */
export function ActionLink({ to, label, title, children, class: name }: ActionLinkProps) {
  if (to === undefined) return null
  return (
    <a
      role="button"
      class={name}
      href={to}
      aria-label={label}
      title={title}
      onKeyDown={(e) => {
        if (e.key !== ' ') return
        e.preventDefault()
        e.currentTarget.click()
      }}
    >
      {children}
    </a>
  )
}
