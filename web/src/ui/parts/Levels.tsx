// Choosing one of the five privacy relationships.
import { useState } from 'preact/hooks'
import type { Level } from '../../core'
import { text, wireText } from '../../text/later'
import { TickIcon } from './icons'
import { Cancel, Confirm, Sheet } from './Sheet'

/** levels are the relationships, from the closest on. */
export const levels: readonly Level[] = ['friends', 'workgroup', 'colleagues', 'external', 'blocked']

/** ConfirmBlock asks before somebody is blocked, and says what that does. */
export const ConfirmBlock = ({ name, onConfirm, onClose }: { name: string; onConfirm: () => Promise<void> | void; onClose: () => void }) => (
  <Confirm title={text('added.block-question', { name })} explanation={text('added.block-hint')} action={text('added.block')} onConfirm={onConfirm} onClose={onClose} />
)

interface LevelSheetProps {
  /** Whose level it is. */
  name: string
  now?: string | undefined
  /** Offers to go back to what everybody gets. */
  back?: boolean
  onChoose: (level: Level) => void
  onClose: () => void
}

/** LevelSheet says of each level in one line what somebody sees who has it. Blocking is asked about once more. */
export function LevelSheet({ name, now, back = false, onChoose, onClose }: LevelSheetProps) {
  const [blocking, setBlocking] = useState(false)
  const title = text('added.level', { name })
  if (blocking) return <ConfirmBlock name={name} onConfirm={() => onChoose('blocked')} onClose={onClose} />
  const shown: readonly Level[] = back ? [...levels, 'default'] : levels
  return (
    <Sheet label={title} onClose={onClose}>
      <div class="block">
        <div class="says">
          <h2>{title}</h2>
        </div>
        <ul>
          {shown.map((level) => (
            <li key={level}>
              <button type="button" class="left" aria-pressed={now === level} onClick={() => (level === 'blocked' && now !== level ? setBlocking(true) : onChoose(level))}>
                <span class="grow">
                  {wireText('relationship', level) ?? text('level.default')}
                  {level !== 'default' && <small class="soft">{wireText('level', level)}</small>}
                </span>
                {now === level && (
                  <span class="tick">
                    <TickIcon />
                  </span>
                )}
              </button>
            </li>
          ))}
        </ul>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}
