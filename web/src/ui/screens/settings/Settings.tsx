// The Settings area: the list of its pages, and the page that is open. On a phone most of it is to be read only.
import { text } from '../../../text/text'
import { LinkRow, List } from '../../parts/rows'
import { BackLink, ListScreen } from '../../parts/Screen'
import { href } from '../../router'
import { settingsPages } from './pages'

/** SettingsList stands where the list of My Info stood. */
export function SettingsList({ current }: { current: string | undefined }) {
  return (
    <ListScreen title={text('settings.title')} left={<BackLink to={href('info')} label={text('tab.info')} top={false} />}>
      <List kind="group" label={text('settings.title')}>
        {settingsPages.map(({ id, title }) => (
          <LinkRow key={id} to={href('info', 'settings', id)} current={current === id} title={title} />
        ))}
      </List>
    </ListScreen>
  )
}

/** SettingsDetail is the page that is open; nothing when there is none of that name. */
export function SettingsDetail({ page }: { page: string }) {
  const open = settingsPages.find(({ id }) => id === page)
  return open ? <open.Page /> : null
}
