// Starts the app: the core first, then the view on it.
import { render } from 'preact'
import { boot } from './core'
import { startAnnouncing } from './ui/announce'
import { App } from './ui/App'
import { fetchLater } from './ui/later'
import { startNavigation } from './ui/navigate'
import { startClock } from './ui/now'
import { followSession } from './ui/people'
import './ui/style/base.css'
import './ui/style/layout.css'
import './ui/style/lists.css'
import './ui/style/screens.css'
import './ui/style/sheets.css'
import './ui/style/large-text.css'
import { startViewport } from './ui/viewport'

const root = document.getElementById('app')
if (!root) throw new Error('index.html has no #app')
startViewport()
startClock()
startNavigation()
followSession()
startAnnouncing()
// What is not on the first screen comes when the first screen is there.
void boot().then(() => setTimeout(() => void fetchLater(), 1_500))
render(<App />, root)
