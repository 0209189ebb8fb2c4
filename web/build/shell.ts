// The Vite plugin that finishes a build: it names the build by its content, tells
// page and service worker, and compresses what compresses.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Plugin } from 'vite'

const worker = 'sw.js'
const compressed = /\.(js|css|html|webmanifest|svg)$/

interface File {
  name: string
  content: string | Uint8Array
}

const publicFiles = (root: string, folder = ''): File[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): File[] => {
    const name = folder ? `${folder}/${entry.name}` : entry.name
    return entry.isDirectory() ? publicFiles(root, name) : [{ name, content: readFileSync(join(root, name)) }]
  })

function brotli(content: string | Uint8Array): Buffer {
  return brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } })
}

/**
 * Emits build.txt (the build's name), fills the worker's list of files, and
 * writes a .br twin of every text. `later` says which files are no part of the
 * shell because they load on demand.
 */
export function shell(options: { publicDir: string; outDir: string; later: (name: string) => boolean }): Plugin {
  return {
    name: 'parley-shell',
    apply: 'build',
    enforce: 'post',
    // Vite would also remove .keep, which lets Go compile before the first build.
    buildStart() {
      for (const entry of readdirSync(options.outDir)) {
        if (entry !== '.keep') rmSync(join(options.outDir, entry), { recursive: true })
      }
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const fixed = publicFiles(options.publicDir)
        const built = Object.entries(bundle).map(([name, file]): File => ({ name, content: file.type === 'chunk' ? file.code : file.source }))
        const all = [...built, ...fixed].sort((a, b) => (a.name < b.name ? -1 : 1))
        const hash = createHash('sha256')
        for (const { name, content } of all) hash.update(name).update('\0').update(content).update('\0')
        const build = hash.digest('hex').slice(0, 16)

        const page = bundle['index.html']
        if (page?.type !== 'asset') this.error('there is no index.html')
        page.source = String(page.source).replace('name="parley-build" content="dev"', `name="parley-build" content="${build}"`)
        const files = all.map((f) => f.name).filter((n) => n !== worker && n !== 'index.html' && !options.later(n))
        const code = bundle[worker]
        if (code?.type !== 'chunk' || code.imports.length > 0) this.error(`${worker} must be one file`)
        code.code = `const __BUILD__=${JSON.stringify(build)},__SHELL__=${JSON.stringify(['/', ...files.map((n) => `/${n}`)])};${code.code}`

        this.emitFile({ type: 'asset', fileName: 'build.txt', source: build })
        const texts = [...Object.values(bundle).map((f): File => ({ name: f.fileName, content: f.type === 'chunk' ? f.code : f.source })), ...fixed]
        for (const { name, content } of texts) {
          if (compressed.test(name)) this.emitFile({ type: 'asset', fileName: `${name}.br`, source: brotli(content) })
        }
      },
    },
  }
}
