// What docs/protocol.md says of the Contacts list and api.gen.ts does not have yet. Goes when it has it.
import type { DirectoryGroupRow, Group, Groups as PlainGroups } from '../api.gen'
import { call } from './call'

export type ContactGroup = Group & { readonly lists?: readonly DirectoryGroupRow[] | undefined }
export type Groups = Omit<PlainGroups, 'groups'> & { readonly groups: readonly ContactGroup[] }

export const getContacts = (signal?: AbortSignal): Promise<Groups> => call('GET', '/api/contacts', {}, undefined, signal)
