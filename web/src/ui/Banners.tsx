// Notices over everything: no connection, a newer version, trouble with the store.
import { useEffect, useState } from 'preact/hooks'
import { applyUpdate, connection, dismissTrouble, retryNow, storage, updateReady, type StorageTrouble } from '../core'
import { text, type PlainKey } from '../text/text'

const troubleKeys: Readonly<Record<StorageTrouble, PlainKey>> = {
  quota: 'trouble.quota',
  unreadable: 'trouble.unreadable',
  damaged: 'trouble.damaged',
  blocked: 'trouble.blocked',
  failed: 'trouble.failed',
}

function Banner({ words, action, onAction }: { words: string; action: string; onAction: () => void }) {
  return (
    <div class="banner">
      <p>{words}</p>
      <button type="button" onClick={onAction}>
        {action}
      </button>
    </div>
  )
}

const patience = 3_000

/** useCutOff waits a moment before it calls a connection lost: coming back to the app takes one, and a flash of a banner says nothing. */
function useCutOff(): boolean {
  const online = connection.value === 'online'
  const offline = connection.value === 'offline'
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (online) return
    const timer = setTimeout(() => setLate(true), patience)
    return () => clearTimeout(timer)
  }, [online])
  return offline || (!online && late)
}

/** Banners is empty most of the time. */
export function Banners() {
  const cutOff = useCutOff()
  const { trouble } = storage.value
  return (
    <div class="banners" role="status">
      {cutOff && <Banner words={text('banner.offline')} action={text('state.try-again')} onAction={retryNow} />}
      {updateReady.value && <Banner words={text('banner.update')} action={text('banner.update-now')} onAction={() => void applyUpdate()} />}
      {trouble && <Banner words={text(troubleKeys[trouble])} action={text('banner.ok')} onAction={dismissTrouble} />}
    </div>
  )
}
