// Where the pages of Settings lead back to.
import { text } from '../../../text/later'
import { href } from '../../router'

export const toSettings = { to: href('info', 'settings'), label: text('settings.title'), top: true }
