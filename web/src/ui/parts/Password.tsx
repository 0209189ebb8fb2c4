// Password fields, and what a new password needs.
import type { TargetedInputEvent } from 'preact'
import { useId, useState } from 'preact/hooks'
import { text } from '../../text/text'

/** minimum is the least number of characters of a new password. */
export const minimum = 10

interface PasswordFieldProps {
  label: string
  value: string
  autocomplete: 'current-password' | 'new-password'
  onInput: (value: string) => void
  describedBy?: string | undefined
  wrong?: boolean
}

/** PasswordField can show what was typed. */
export function PasswordField({ label, value, autocomplete, onInput, describedBy, wrong = false }: PasswordFieldProps) {
  const id = useId()
  const [shown, setShown] = useState(false)
  const field = {
    id,
    value,
    required: true,
    autocomplete,
    autocapitalize: 'off',
    spellcheck: false,
    'aria-invalid': wrong,
    'aria-describedby': describedBy,
    onInput: (e: TargetedInputEvent<HTMLInputElement>) => onInput(e.currentTarget.value),
  } as const
  return (
    <div class="field">
      <label for={id} id={`${id}-label`}>
        {label}
      </label>
      <div class="beside">
        {shown ? <input type="text" {...field} /> : <input type="password" {...field} />}
        <button type="button" aria-describedby={`${id}-label`} onClick={() => setShown(!shown)}>
          {text(shown ? 'password.hide' : 'password.show')}
        </button>
      </div>
    </div>
  )
}

/** shortBy is how many characters a new password still lacks. */
export const shortBy = (password: string): number => Math.max(0, minimum - Array.from(password).length)

/** NewPassword asks twice for a new password and says what it still lacks. */
export function NewPassword({ first, second, onFirst, onSecond }: { first: string; second: string; onFirst: (v: string) => void; onSecond: (v: string) => void }) {
  const id = useId()
  const lacking = shortBy(first)
  return (
    <>
      <div class="group">
        <PasswordField label={text('password.new')} value={first} autocomplete="new-password" onInput={onFirst} describedBy={id} />
        <PasswordField label={text('password.again')} value={second} autocomplete="new-password" onInput={onSecond} wrong={second !== '' && second !== first} />
      </div>
      <p class="foot" id={id} aria-live="polite">
        {first === '' || lacking > 0 ? text('password.rule', { count: minimum }) : second !== '' && second !== first ? text('password.differ') : text('password.good')}
      </p>
    </>
  )
}

/** ready tells whether a new password may be sent. */
export const ready = (first: string, second: string): boolean => shortBy(first) === 0 && first === second
