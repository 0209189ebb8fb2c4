// Parts of the app that are loaded when they are first shown, or a moment after the start, so that the app itself starts sooner.
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../core'
import { Bones, Failure } from './parts/Blank'

const waiting = new Set<() => Promise<unknown>>()

/** fetchLater fetches, one after the other, what has not been shown yet. What cannot be had is tried again when it is shown. */
export async function fetchLater(): Promise<void> {
  for (const fetching of waiting) await fetching().catch(() => undefined)
}

/**
 * later makes a component of one that is still to be fetched. What is fetched once is there from then on; `Meanwhile` stands in for it until
 * then, and where it cannot be had.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, Meanwhile?: ComponentType<P>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined
  const fetching = async () => {
    loaded = await load()
    waiting.delete(fetching)
  }
  waiting.add(fetching)
  return function Later(props: P) {
    const [failed, setFailed] = useState(false)
    const [, redraw] = useState(0)
    useEffect(() => {
      if (loaded || failed) return
      let here = true
      fetching().then(() => here && redraw((n) => n + 1), () => here && setFailed(true))
      return () => {
        here = false
      }
    }, [failed])
    const Part = loaded ?? Meanwhile
    if (Part) return <Part {...props} />
    return failed ? <Failure error={new ApiError('offline', 'error.offline')} onRetry={() => setFailed(false)} /> : <div data-later><Bones rows={3} /></div>
  }
}
