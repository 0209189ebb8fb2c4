// What stands where content would: nothing yet, nothing at all, or a failure.
import type { ComponentChildren } from 'preact'
import { ApiError } from '../../core'
import { refusalText, text } from '../../text/text'

/** Blank says that there is nothing, and what one can do. */
export function Blank({ title, children }: { title?: string; children?: ComponentChildren }) {
  return (
    <div class="blank">
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </div>
  )
}

/** Bones are the outline of rows that are still being fetched. */
export function Bones({ rows = 8 }: { rows?: number }) {
  return (
    <div role="status">
      <span class="unseen">{text('state.loading')}</span>
      <ul class="plain" aria-hidden="true">
        {Array.from({ length: rows }, (_, i) => (
          <li key={i}>
            <div class="row">
              <span class="face bones" />
              <span class="main">
                <span class="bones" />
                <span class="bones short" />
              </span>
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** wordsFor turns whatever was thrown into words. Only a refusal says more than that it did not work. */
export function wordsFor(error: unknown): string {
  return refusalText(error instanceof ApiError ? error : { kind: 'internal' })
}

/** Failure shows why something could not be had, with a way to try again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div class="blank" role="alert">
      <p>{wordsFor(error)}</p>
      {onRetry && (
        <button type="button" class="button plain" onClick={onRetry}>
          {text('state.try-again')}
        </button>
      )}
    </div>
  )
}
