// Choosing one of the five privacy relationships.
import type { Level } from '../../core'
import { text, wireText } from '../../text/text'
import { TickIcon } from './icons'
import { Cancel, Sheet } from './Sheet'

/** levels are the relationships, from the closest on. */
export const levels: readonly Level[] = ['friends', 'workgroup', 'colleagues', 'external', 'blocked']

interface LevelSheetProps {
  title: string
  now?: string | undefined
  /** Offers to go back to what everybody gets. */
  back?: boolean
  onChoose: (level: Level) => void
  onClose: () => void
}

/** LevelSheet says of each level in one line what somebody sees who has it. */
export function LevelSheet({ title, now, back = false, onChoose, onClose }: LevelSheetProps) {
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
              <button type="button" class="left" aria-pressed={now === level} onClick={() => onChoose(level)}>
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
