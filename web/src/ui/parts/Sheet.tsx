// Sheets: native modal dialogs that come up from below on a phone and stand in the middle on a large screen.
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { text } from '../../text/text'
import { complain } from '../announce'
import { wordsFor } from './Blank'

interface SheetProps {
  label: string
  onClose: () => void
  children: ComponentChildren
}

/** Sheet is open for as long as it is rendered. Escape and a tap beside it ask to close it. */
export function Sheet({ label, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // Closing, not only removing, gives the focus back to what opened the sheet.
    return () => element?.close()
  }, [])
  return (
    <dialog
      class="sheet"
      ref={dialog}
      aria-label={label}
      onCancel={(e) => {
        e.preventDefault()
        onClose()
      }}
      onClick={(e) => e.target === dialog.current && onClose()}
    >
      {children}
    </dialog>
  )
}

/** Cancel is the last block of a sheet of choices. */
export function Cancel({ onClose }: { onClose: () => void }) {
  return (
    <div class="block">
      <button type="button" class="cancel" onClick={onClose}>
        {text('sheet.cancel')}
      </button>
    </div>
  )
}

interface ConfirmProps {
  title: string
  explanation?: string
  action: string
  onConfirm: () => Promise<void> | void
  onClose: () => void
}

/** Confirm asks before something that cannot be undone. It closes when that is done, and says so when it failed. */
export function Confirm({ title, explanation, action, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false)
  const id = useId()
  const confirm = async () => {
    setBusy(true)
    try {
      await onConfirm()
    } catch (error) {
      complain(wordsFor(error))
    } finally {
      onClose()
    }
  }
  return (
    <Sheet label={title} onClose={onClose}>
      <div class="block">
        <div class="says" id={id}>
          <h2>{title}</h2>
          {explanation !== undefined && <p>{explanation}</p>}
        </div>
        <button type="button" class="danger" disabled={busy} aria-describedby={id} onClick={() => void confirm()}>
          {action}
        </button>
      </div>
      <Cancel onClose={onClose} />
    </Sheet>
  )
}
