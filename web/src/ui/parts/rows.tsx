// Rows of lists and of settings groups.
import type { ComponentChildren, TargetedKeyboardEvent } from 'preact'

/** moveFocus lets the arrow keys, Home and End walk through the rows of a list. */
export function moveFocus(event: TargetedKeyboardEvent<HTMLElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('a.row, button.row, label.row input')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const step: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }
  const to = step[event.key]
  if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  rows[Math.max(0, Math.min(to, rows.length - 1))]?.focus()
}

/** List is a list of rows. `label` names it where no heading does. */
export function List({ kind, label, children }: { kind: 'plain' | 'group'; label?: string | undefined; children: ComponentChildren }) {
  return (
    <ul class={kind} aria-label={label} onKeyDown={moveFocus}>
      {children}
    </ul>
  )
}

interface RowProps {
  children?: ComponentChildren
  title: ComponentChildren
  value?: ComponentChildren
}

const Inside = ({ title, value, children }: RowProps) => (
  <>
    {children}
    <span class="main">{title}</span>
    {value !== undefined && <span class="value">{value}</span>}
  </>
)

/** LinkRow leads to another place of the app, or out of it (`tel:`, `mailto:`). `aside` is something else that can be done with it. With `download` what is there is kept as a file. Without `to` it only says what it says. */
export function LinkRow({ to, current, leaf, aside, download, ...inside }: RowProps & { to: string | undefined; current?: boolean; leaf?: boolean; aside?: ComponentChildren; download?: boolean }) {
  return (
    <li class={aside === undefined ? '' : 'sided'}>
      {to === undefined ? (
        <div class="row">
          <Inside {...inside} />
        </div>
      ) : (
        <a class="row" href={to} download={download} aria-current={current ? 'true' : undefined}>
          <Inside {...inside} />
          {!leaf && <span class="more" aria-hidden="true" />}
        </a>
      )}
      {aside}
    </li>
  )
}

/** ButtonRow does something here and now. */
export function ButtonRow({ onClick, tone, opens, disabled, ...inside }: RowProps & { onClick: () => void; tone?: 'action' | 'danger'; opens?: boolean; disabled?: boolean }) {
  return (
    <li>
      <button type="button" class={`row ${tone ?? ''}`} onClick={onClick} disabled={disabled} aria-haspopup={opens ? 'dialog' : undefined}>
        <Inside {...inside} />
        {opens && <span class="more" aria-hidden="true" />}
      </button>
    </li>
  )
}

/** Fact is a row that only says something: a name for it, small, and what it is. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <li>
      <div class="row">
        <span class="main fact">
          <small>{name}</small>
          <span>{children}</span>
        </span>
      </div>
    </li>
  )
}
