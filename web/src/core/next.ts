// The operations of docs/protocol.md that api.gen.ts does not have yet, by its words. Goes when it has them.
import type { Group, Groups as PlainGroups, PersonRow, Phone as PlainPhone } from '../api.gen'
import { call } from './call'

export type FoundRow = PersonRow & { readonly matched?: string | undefined }
export type DirectoryGroupRow = { readonly id: string; readonly name: string; readonly mail?: string | undefined; readonly description?: string | undefined }
export type PeopleFound = { readonly people: readonly FoundRow[]; readonly groups?: readonly DirectoryGroupRow[] | undefined; readonly more: boolean }
export type DirectoryGroup = DirectoryGroupRow & { readonly people: readonly PersonRow[]; readonly groups: readonly DirectoryGroupRow[]; readonly more: boolean }
export type Phone = PlainPhone & { readonly shown?: string | undefined; readonly typed?: boolean | undefined }
export type Settings = {
  readonly pictures: { readonly share: boolean; readonly show: boolean; readonly allowed: boolean }
  readonly phones: readonly Phone[]
  readonly password: 'here' | 'directory'
}
export type ContactGroup = Group & { readonly lists?: readonly DirectoryGroupRow[] | undefined }
export type Groups = Omit<PlainGroups, 'groups'> & { readonly groups: readonly ContactGroup[] }
export type DirectoryState = {
  readonly configured: boolean
  readonly kind?: string | undefined
  readonly server?: string | undefined
  readonly mode?: string | undefined
  readonly people: number
  readonly groups: number
  readonly last_sync?: string | undefined
  readonly last_full?: string | undefined
  readonly failing_since?: string | undefined
  readonly problem?: string | undefined
  readonly detail?: string | undefined
  readonly problems?: readonly { readonly dn: string; readonly text: string }[] | undefined
}

const at = encodeURIComponent

export const searchPeople = (p: { q: string; limit?: number; pad?: boolean | undefined }, signal?: AbortSignal): Promise<PeopleFound> => call('GET', '/api/people', p, undefined, signal)
export const getDirectoryGroup = (p: { group: string; after?: string | undefined }, signal?: AbortSignal): Promise<DirectoryGroup> => call('GET', `/api/directory-groups/${at(p.group)}`, { after: p.after }, undefined, signal)
export const getSettings = (signal?: AbortSignal): Promise<Settings> => call('GET', '/api/me/settings', {}, undefined, signal)
export const setPictures = (body: { share?: boolean; show?: boolean }): Promise<void> => call('PUT', '/api/me/pictures', {}, body)
export const setPhones = (body: { phones: readonly { kind: string; number: string }[] }): Promise<void> => call('PUT', '/api/me/phones', {}, body)
export const getContacts = (signal?: AbortSignal): Promise<Groups> => call('GET', '/api/contacts', {}, undefined, signal)
export const getDirectory = (signal?: AbortSignal): Promise<DirectoryState> => call('GET', '/api/admin/directory', {}, undefined, signal)
export const syncDirectory = (): Promise<void> => call('POST', '/api/admin/directory/sync')
