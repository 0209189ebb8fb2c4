// Where one is signed in, and signing another device out.
import { useEffect, useState } from 'preact/hooks'
import { text } from '../../text/later'
import { devices, revoke, type Device } from '../account'
import { announce } from '../announce'
import { full } from '../format'
import { Bones, Failure } from '../parts/Blank'
import { ButtonRow, List } from '../parts/rows'
import { DetailScreen } from '../parts/Screen'
import { Confirm } from '../parts/Sheet'

interface Parent { to: string; label: string; top: boolean }

/** useDevices fetches the list, and again after a change. */
function useDevices() {
  const [list, setList] = useState<Device[]>()
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    setError(undefined)
    devices(controller.signal).then(setList, (reason: unknown) => controller.signal.aborted || setError(reason))
    return () => controller.abort()
  }, [attempt])
  return { list, error, reload: () => setAttempt((n) => n + 1) }
}

const className = (device: Device) => text(device.class === 'mobile' ? 'device.mobile' : 'device.desktop')

function Facts({ device }: { device: Device }) {
  return (
    <>
      <bdi class="name">{device.name === '' ? className(device) : device.name}</bdi>
      <small>
        {className(device)}
        {device.current && ` · ${text('devices.this')}`}
      </small>
      <small>{text('devices.used', { when: full(device.last_used) })}</small>
      <small>{text('devices.since', { when: full(device.created) })}</small>
    </>
  )
}

/** Devices lists the signed-in devices. */
export function Devices({ parent }: { parent: Parent }) {
  const { list, error, reload } = useDevices()
  const [ending, setEnding] = useState<Device>()
  const end = async (device: Device) => {
    try {
      await revoke(device.id)
      announce(text('devices.ended', { name: device.name }))
    } finally {
      reload()
    }
  }
  return (
    <DetailScreen title={text('devices.title')} parent={parent}>
      <div class="gap" />
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {!list && error === undefined && <Bones rows={2} />}
      {list && (
        <List kind="group" label={text('devices.title')}>
          {list.map((device) =>
            device.current ? (
              <li key={device.id}>
                <div class="row">
                  <span class="main">
                    <Facts device={device} />
                  </span>
                </div>
              </li>
            ) : (
              <ButtonRow key={device.id} opens title={<Facts device={device} />} value={<span class="bad">{text('devices.sign-out')}</span>} onClick={() => setEnding(device)} />
            ),
          )}
        </List>
      )}
      <p class="foot">{text('devices.hint')}</p>
      {ending && (
        <Confirm
          title={text('devices.question', { name: ending.name })}
          explanation={text('devices.question-hint')}
          action={text('devices.sign-out')}
          onConfirm={() => end(ending)}
          onClose={() => setEnding(undefined)}
        />
      )}
    </DetailScreen>
  )
}
