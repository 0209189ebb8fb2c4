// Administrator > Directory: how the synchronisation stands, and what is wrong with it.
import { useEffect, useState } from 'preact/hooks'
import { lateText, text, type PlainKey } from '../../../text/later'
import { directory, synchronise, type DirectoryState } from '../../admin'
import { announce, complain } from '../../announce'
import { full } from '../../format'
import { Blank, Bones, Failure, wordsFor } from '../../parts/Blank'
import { ButtonRow, Fact, List } from '../../parts/rows'
import { DetailScreen } from '../../parts/Screen'
import { href } from '../../router'

const everyMs = 3_000

/** useDirectory follows the state while it is on screen. */
function useDirectory() {
  const [state, setState] = useState<DirectoryState>()
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const look = () =>
      directory(controller.signal)
        .then(
          (now) => {
            setState(now)
            setError(undefined)
          },
          (reason: unknown) => controller.signal.aborted || setError(reason),
        )
        .finally(() => {
          if (!controller.signal.aborted) timer = setTimeout(look, everyMs)
        })
    void look()
    return () => {
      controller.abort()
      clearTimeout(timer)
    }
  }, [attempt])
  return { state, error, again: () => setAttempt((n) => n + 1) }
}

const when = (at: string | undefined) => (at === undefined ? text('admin.never') : full(at))

function standing(state: DirectoryState): string {
  if (state.failing_since !== undefined) return text('admin.state-failing', { when: full(state.failing_since) })
  return text(state.last_sync === undefined ? 'admin.state-waiting' : 'admin.state-good')
}

/** Wrong says what is wrong in plain words, and what the directory itself said. */
function Wrong({ state }: { state: DirectoryState }) {
  if (state.problem === undefined) return null
  const words = lateText(`admin.${state.problem}`)
  return (
    <Fact name={text('admin.problem')}>
      {words ?? state.problem}
      {state.detail !== undefined && <small class="soft">{state.detail}</small>}
    </Fact>
  )
}

const kinds: Readonly<Record<string, PlainKey>> = { ad: 'admin.kind-ad', openldap: 'admin.kind-openldap', other: 'admin.kind-other' }
const modes: Readonly<Record<string, PlainKey>> = { syncrepl: 'admin.mode-syncrepl', dirsync: 'admin.mode-dirsync', poll: 'admin.mode-poll' }

/** said gives the words for a token; a token of a newer server stands for itself. */
const said = (words: Readonly<Record<string, PlainKey>>, token: string | undefined) => {
  const key = token === undefined ? undefined : words[token]
  return key === undefined ? token : text(key)
}

function Status({ state, onSync }: { state: DirectoryState; onSync: () => void }) {
  const facts: [string, string | undefined][] = [
    [text('admin.server'), state.server],
    [text('admin.kind'), said(kinds, state.kind)],
    [text('admin.mode'), said(modes, state.mode)],
    [text('admin.people'), state.people.toLocaleString()],
    [text('admin.groups'), state.groups.toLocaleString()],
    [text('admin.last-sync'), when(state.last_sync)],
    [text('admin.last-full'), when(state.last_full)],
  ]
  return (
    <>
      <div class="gap" />
      <List kind="group" label={text('admin.state')}>
        <Fact name={text('admin.state')}>
          <span class={state.failing_since === undefined ? undefined : 'bad'}>{standing(state)}</span>
        </Fact>
        <Wrong state={state} />
        {facts.map(([name, value]) => value !== undefined && value !== '' && <Fact key={name} name={name}><bdi>{value}</bdi></Fact>)}
      </List>
      {state.failing_since !== undefined && <p class="foot">{text('admin.failing-hint')}</p>}
      <List kind="group" label={text('admin.sync-now')}>
        <ButtonRow tone="action" title={text('admin.sync-now')} onClick={onSync} />
      </List>
      {state.problems && state.problems.length > 0 && (
        <>
          <h2 class="head">{text('admin.entries')}</h2>
          <List kind="group" label={text('admin.entries')}>
            {state.problems.map(({ dn, text: why }) => (
              <Fact key={dn + why} name={dn}>
                {why}
              </Fact>
            ))}
          </List>
        </>
      )}
    </>
  )
}

/** Directory is the administrator's page. */
export function Directory() {
  const { state, error, again } = useDirectory()
  const sync = async () => {
    try {
      await synchronise()
      announce(text('admin.sync-started'))
      again()
    } catch (reason) {
      complain(wordsFor(reason))
    }
  }
  return (
    <DetailScreen title={text('admin.directory')} parent={{ to: href('info'), label: text('tab.info'), top: true }}>
      {!state ? (
        error === undefined ? <Bones rows={4} /> : <Failure error={error} onRetry={again} />
      ) : state.configured ? (
        <Status state={state} onSync={() => void sync()} />
      ) : (
        <Blank title={text('admin.directory-none')}>
          <p>{text('admin.directory-none-hint')}</p>
        </Blank>
      )}
    </DetailScreen>
  )
}
