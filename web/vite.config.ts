import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { shell } from './build/shell.ts'

// Vitest 5 reports failures with Map.groupBy, which Node 20 does not have.
Map.groupBy ??= <K, T>(items: Iterable<T>, key: (item: T, index: number) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>()
  let index = 0
  for (const item of items) {
    const k = key(item, index++)
    groups.set(k, [...(groups.get(k) ?? []), item])
  }
  return groups
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// Calls load on demand and work online only.
const later = (name: string): boolean => /(^|\/)call-/.test(name)

const server = process.env['PARLEY_DEV_SERVER'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [shell({ publicDir: at('public'), outDir: at('dist'), later })],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'safari16.4',
    modulePreload: { polyfill: false },
    emptyOutDir: false,
    // Everything in files: the page's policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: at('index.html'), sw: at('src/sw.ts') },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/api': { target: server, ws: true, changeOrigin: false } } },
})
