// A person's picture or initials, and the presence dot.
import { useState } from 'preact/hooks'
import { photoUrl, session, settings, type PersonRow, type Presence } from '../../core'
import { lightOf, presenceText } from '../../text/presence'
import { initials } from '../format'

/** Dot shows a state by colour and shape. Give it `spoken` where no words beside it say the state. */
export function Dot({ presence, spoken = false }: { presence: Presence | undefined; spoken?: boolean }) {
  const light = lightOf(presence)
  if (light === 'unknown') return null
  return spoken ? <span class={`dot ${light}`} role="img" aria-label={presenceText(presence)} /> : <span class={`dot ${light}`} aria-hidden="true" />
}

/** toneOf spreads people over the colours behind initials; the same person always has the same one. */
const toneOf = (id: string) => Array.from(id).reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 997, 7) % 8

interface FaceProps {
  row: PersonRow | undefined
  presence?: Presence | undefined
  size?: 'small' | 'large'
  /** The dot has to speak: there are no words for the state beside it. */
  spoken?: boolean
}

/** Face falls back to initials where there is no picture, or it cannot be had. */
export function Face({ row, presence, size = 'small', spoken = false }: FaceProps) {
  // At once, also for rows that came while pictures were wanted. One's own is no other person's.
  const wanted = settings.value?.pictures.show !== false || row?.id === session.value?.person.id
  const url = row && wanted ? photoUrl(row, size) : undefined
  const [broken, setBroken] = useState<string>()
  return (
    <span class={`face tone-${toneOf(row?.id ?? '')}${size === 'large' ? ' big' : ''}`}>
      <span aria-hidden="true">{initials(row?.display_name ?? '')}</span>
      {url !== undefined && url !== broken && <img src={url} alt="" loading="lazy" decoding="async" draggable={false} onError={() => setBroken(url)} />}
      <Dot presence={presence} spoken={spoken} />
    </span>
  )
}
