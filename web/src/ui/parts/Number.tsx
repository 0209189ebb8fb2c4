// A telephone number as one reads it and as it is dialled everywhere, and the button that copies.
import type { Phone } from '../../core'
import { text } from '../../text/later'
import { announce, complain } from '../announce'
import { dialable, internationalOf, readable } from '../tel'
import { CopyIcon } from './icons'

/** NumberWords is a number in the form for reading, with its international form (E.164) beneath where that has other digits. */
export function NumberWords({ phone }: { phone: Phone }) {
  const shown = readable(phone)
  const international = internationalOf(phone)
  return (
    <>
      <bdi>{shown}</bdi>
      {international !== undefined && international !== dialable(shown) && (
        <small>
          <bdi>{international}</bdi>
        </small>
      )}
    </>
  )
}

async function copy(what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(what)
    announce(text('card.copied'))
  } catch {
    complain(text('card.copy-failed'))
  }
}

/** CopyButton copies a mail address or a number. */
export function CopyButton({ what }: { what: string }) {
  const label = text('card.copy', { what })
  return (
    <button type="button" class="aside" aria-label={label} title={label} onClick={() => void copy(what)}>
      <CopyIcon />
    </button>
  )
}
