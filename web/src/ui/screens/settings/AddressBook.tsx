// Connecting one's own address book, where the operator has configured servers of such.
import { useEffect, useState } from 'preact/hooks'
import { ApiError, sourcesEngine, type SourceItem } from '../../../core'
import { text } from '../../../text/later'
import { announce } from '../../announce'
import { wordsFor } from '../../parts/Blank'
import { ButtonRow, List } from '../../parts/rows'
import { Sheet } from '../../parts/Sheet'

interface Server { readonly id: string; readonly name: string }

/** useServers are the configured servers; none while the server cannot be asked. */
function useServers(): readonly Server[] {
  const [servers, setServers] = useState<readonly Server[]>([])
  useEffect(() => {
    const controller = new AbortController()
    sourcesEngine().then((e) => e.addressBooks(controller.signal)).then((list) => setServers([...list]), () => undefined)
    return () => controller.abort()
  }, [])
  return servers
}

interface FormProps {
  title: string
  servers?: readonly Server[]
  user?: string
  onSend: (form: { book: string; user: string; password: string; keep: boolean }) => Promise<void>
  onClose: () => void
}

/** Form asks for what an address book wants to know; what it refuses stands at the fields. */
function Form({ title, servers, user = '', onSend, onClose }: FormProps) {
  const [book, setBook] = useState(servers?.[0]?.id ?? '')
  const [name, setName] = useState(user)
  const [password, setPassword] = useState('')
  const [keep, setKeep] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const send = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await onSend({ book, user: name.trim(), password, keep })
      onClose()
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  const ready = !busy && name.trim() !== '' && password !== ''
  const wrong = error instanceof ApiError && error.field === 'password'
  return (
    <Sheet label={title} onClose={onClose}>
      <form
        class="block"
        onSubmit={(e) => {
          e.preventDefault()
          if (ready) void send()
        }}
      >
        <div class="tools">
          <button type="button" onClick={onClose}>
            {text('sheet.cancel')}
          </button>
          <h2>{text('sources.connect-title')}</h2>
          <button type="submit" disabled={!ready}>
            {text('sources.connect-do')}
          </button>
        </div>
        <p class="says">{text('sources.connect-hint')}</p>
        {busy && (
          <p class="says" role="status">
            {text('sources.connecting')}
          </p>
        )}
        {error !== undefined && (
          <p class="says bad" role="alert" id="book-trouble">
            {wordsFor(error)}
          </p>
        )}
        {servers && servers.length > 1 && (
          <div class="field">
            <label for="book-server">{text('sources.book')}</label>
            <select id="book-server" value={book} onChange={(e) => setBook(e.currentTarget.value)}>
              {servers.map((s) => (
                <option key={s.id} value={s.id}>
                  {s.name}
                </option>
              ))}
            </select>
          </div>
        )}
        <div class="field">
          <label for="book-user">{text('sources.user')}</label>
          <input id="book-user" autocomplete="off" autocapitalize="off" spellcheck={false} maxLength={320} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </div>
        <div class="field">
          <label for="book-password">{text('sources.password')}</label>
          <input
            id="book-password"
            type="password"
            autocomplete="off"
            maxLength={1024}
            value={password}
            aria-invalid={wrong}
            aria-describedby={error === undefined ? undefined : 'book-trouble'}
            onInput={(e) => setPassword(e.currentTarget.value)}
          />
        </div>
        <label class="row">
          <span class="main">{text('sources.keep')}</span>
          <input class="switch" type="checkbox" role="switch" checked={keep} onChange={(e) => setKeep(e.currentTarget.checked)} />
        </label>
      </form>
    </Sheet>
  )
}

/** ConnectBook is nothing where no server is configured. */
export function ConnectBook({ open, onOpen, onClose }: { open: boolean; onOpen: () => void; onClose: () => void }) {
  const servers = useServers()
  if (servers.length === 0) return null
  const connect = async (form: { book: string; user: string; password: string; keep: boolean }) => {
    const name = servers.find((s) => s.id === form.book)?.name ?? ''
    await (await sourcesEngine()).connectBook({ ...form, name })
    announce(text('sources.refreshed', { name }))
  }
  return (
    <>
      <List kind="group" label={text('sources.connect')}>
        <ButtonRow opens tone="action" title={text('sources.connect')} onClick={onOpen} />
      </List>
      {open && <Form title={text('sources.connect-title')} servers={servers} onSend={connect} onClose={onClose} />}
    </>
  )
}

/** ReadAgain reads a connected address book again, and asks for the password where it was not kept or is wrong by now. */
export function ReadAgain({ source }: { source: SourceItem }) {
  const [asking, setAsking] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const { name } = source
  const read = async (password?: string) => {
    await (await sourcesEngine()).refreshBook(source.id, password)
    announce(text('sources.refreshed', { name }))
  }
  const press = async () => {
    if (source.password === undefined) return setAsking(true)
    setBusy(true)
    setError(undefined)
    try {
      await read()
    } catch (reason) {
      if (reason instanceof ApiError && reason.field === 'password') setAsking(true)
      else setError(reason)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <ButtonRow tone="action" disabled={busy} title={busy ? text('sources.connecting') : text('sources.refresh', { name })} onClick={() => void press()} />
      {error !== undefined && (
        <li class="says bad" role="alert">
          {wordsFor(error)}
        </li>
      )}
      {asking && <Form title={name} user={source.user ?? ''} onSend={({ password }) => read(password)} onClose={() => setAsking(false)} />}
    </>
  )
}
