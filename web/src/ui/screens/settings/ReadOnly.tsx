// What stands at the end of a page of settings that this device may only read.
import { text } from '../../../text/later'
import { atDesk } from '../../people'

/** ReadOnly says where a setting can be changed; nothing at a desk. */
export function ReadOnly() {
  return atDesk() ? null : <p class="foot">{text('settings.read-only')}</p>
}
