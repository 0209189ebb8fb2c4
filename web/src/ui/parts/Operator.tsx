// Who runs the server, where that is not the organisation itself.
import { about } from '../../core'
import { text } from '../../text/text'

/** Operator names the third party that receives the information, and leads to its privacy statement. */
export function Operator() {
  const operator = about.value?.operator
  if (operator === undefined) return null
  const { name, contact, privacy_url: statement } = operator
  return (
    <section class="operator">
      <p>{text('privacy.operated', { name })}</p>
      {contact !== undefined && <p>{text('privacy.operator-contact', { contact })}</p>}
      {statement !== undefined && (
        <p>
          <a href={statement} rel="noreferrer">
            {text('privacy.operator', { name })}
          </a>
        </p>
      )}
    </section>
  )
}
