// The account operations that need no store and no socket: each is one call of the generated contract, named as the screens speak.
import { changePassword as change, discover as ask, endDevice, forgotPassword, getDevices, getInvitation, useInvitation as accept, type Device } from '../api.gen'
import { about } from '../core'

export type { Device }

/** Place is where an address signs in. */
export type Place = { readonly at: 'here' } | { readonly at: 'elsewhere'; readonly server: string } | { readonly at: 'unknown' }

/**
 * placeOf finds the server of an address. An address of one of this server's own domains asks nobody; a name without a domain, such as
 * `DOMAIN\name`, can only belong to this server.
 */
export async function placeOf(address: string): Promise<Place> {
  if (!address.includes('@')) return { at: 'here' }
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
  const ours = about.peek()?.domains
  if (!ours || ours.includes(domain)) return { at: 'here' }
  const found = await ask({ address })
  if (found.where === 'elsewhere' && found.server !== undefined && /^https?:\/\//.test(found.server)) return { at: 'elsewhere', server: found.server }
  return { at: found.where === 'here' ? 'here' : 'unknown' }
}

/** forgotten tells the administrator. The answer is the same whether the address exists or not. */
export const forgotten = (address: string): Promise<void> => forgotPassword({ address })

/** invitation says for whom a code is. */
export const invitation = (code: string) => getInvitation({ code })

/** acceptInvitation sets the first password, once. */
export const acceptInvitation = (code: string, password: string): Promise<void> => accept({ code, password })

/** changePassword also signs the person's other devices out. */
export const changePassword = (current: string, password: string): Promise<void> => change({ current, password })

/** devices lists the person's signed-in devices, this one first, then the one used last. */
export async function devices(signal: AbortSignal): Promise<Device[]> {
  const all = [...(await getDevices(signal)).devices]
  return all.sort((a, b) => Number(b.current) - Number(a.current) || b.last_used.localeCompare(a.last_used))
}

/** revoke signs a device out at once. */
export const revoke = (device: string): Promise<void> => endDevice({ device })
