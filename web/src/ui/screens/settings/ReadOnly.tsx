// What stands at the end of a page of settings that this device may only read.
import { settings } from '../../../core'
import { text } from '../../../text/later'
import { atDesk } from '../../people'

/** picturesAreRead tells whether there is nothing to switch about pictures. */
export const picturesAreRead = (): boolean => !atDesk() || settings.value?.pictures.allowed === false

/** ReadOnly says where a setting can be changed; nothing at a desk. */
export function ReadOnly() {
  return atDesk() ? null : <p class="foot">{text('settings.read-only')}</p>
}
