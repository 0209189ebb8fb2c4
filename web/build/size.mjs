// Fails when the first load has become too large: what index.html names, and
// whatever that imports at once, as brotli.
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const budget = 60_000
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist')

const page = readFileSync(join(dist, 'index.html'), 'utf8')
const named = [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((m) => m[1] ?? '')

/** @type {Set<string>} */
const files = new Set()
/** @param {string} name */
function add(name) {
  if (files.has(name)) return
  files.add(name)
  if (!name.endsWith('.js')) return
  // Static imports only: `import(...)` has a parenthesis.
  for (const m of readFileSync(join(dist, name), 'utf8').matchAll(/(?:from|import)\s*["'](\.[^"']+\.js)["']/g)) {
    add(posix.join(posix.dirname(name), m[1] ?? ''))
  }
}
named.forEach(add)

let sum = 0
for (const name of [...files].sort()) {
  const size = statSync(join(dist, `${name}.br`)).size
  sum += size
  console.log(`${String(size).padStart(7)}  ${name}`)
}
console.log(`${String(sum).padStart(7)}  first load (budget ${budget})`)
if (files.size === 0 || sum > budget) {
  console.error(files.size === 0 ? 'index.html names no scripts' : 'the first load is too large')
  process.exit(1)
}
