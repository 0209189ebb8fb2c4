// What is wrong with the store, for the notice that the screens show.
import { signal } from '@preact/signals'
import { ApiError } from './call'
import { persist } from './device'
import { DatabaseBlocked, QuotaFull } from './store/idb'
import type { StorageState, StorageTrouble } from './types'

export const storageState = signal<StorageState>({ persisted: undefined })

/** Shows what is wrong until the person has seen it. */
export function reportTrouble(trouble: StorageTrouble): void {
  if (storageState.value.trouble !== trouble) storageState.value = { ...storageState.value, trouble }
}

/** The person has read the notice. */
export function dismissTrouble(): void {
  storageState.value = { persisted: storageState.value.persisted }
}

/** Asks the browser to keep the store. */
export async function askPersist(): Promise<void> {
  const persisted = await persist()
  storageState.value = { ...storageState.value, persisted }
}

/** Shows what went wrong, and says it in the form of a refusal. */
export function storeError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  const trouble: StorageTrouble = cause instanceof QuotaFull ? 'quota' : cause instanceof DatabaseBlocked ? 'blocked' : 'failed'
  reportTrouble(trouble)
  return trouble === 'blocked' ? new ApiError('conflict', 'store.blocked') : new ApiError('full', `store.${trouble}`, undefined, 'later')
}
