// What a source is called.

/** The name of a source of these files: their own, without what says their form. */
export const nameOfFiles = (files: readonly string[]): string => files.map((file) => file.replace(/\.\w+$/, '')).join(', ').slice(0, 80)

/** The name, or with a number behind it the first that nothing is called yet. */
export function freeName(name: string, taken: readonly string[]): string {
  let free = name
  for (let n = 2; taken.includes(free); n++) free = `${name} ${n}`
  return free
}
