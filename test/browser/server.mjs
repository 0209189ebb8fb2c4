// A real Parley server for one test file: the built program, the demo
// organisation, a data folder of its own, a free port on loopback.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const binary = join(root, 'bin', 'parley')

/** A port of loopback that nobody listens on. */
export async function freePort() {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

/** Polls until `condition` gives something true; says what it waited for when it does not. */
export async function until(what, condition, limit = 20_000) {
  const end = Date.now() + limit
  let last
  for (;;) {
    try {
      last = await condition()
      if (last) return last
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`waited ${limit} ms for: ${what} (last: ${last})`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Ends a process with this one, also when a test ran out of time and nothing is tidied up. */
export function endWithUs(child) {
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}
process.once('SIGTERM', () => process.exit(1))

export class Server {
  /**
   * Starts a server over a fresh data folder, with the demo organisation. `fill`
   * puts another one into the folder and gives the variables that name it; `program`
   * is another build of Parley.
   */
  static async start({ program = binary, fill } = {}) {
    const server = new Server()
    server.program = program
    server.data = mkdtempSync(join(tmpdir(), 'parley-browser-'))
    server.environment = fill?.(server.data)
    server.port = await freePort()
    server.url = `http://127.0.0.1:${server.port}`
    await server.run()
    return server
  }

  /** Starts the program, again after `stop` or `kill`, over the same data and port. */
  async run() {
    this.output = ''
    const args = ['serve', ...(this.environment ? [] : ['--demo']), '--addr', `127.0.0.1:${this.port}`, '--data', this.data]
    this.process = endWithUs(spawn(this.program, args, { env: { ...process.env, ...this.environment } }))
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (chunk) => (this.output += chunk))
    await until('the server to answer', async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${this.output}`)
      return (await fetch(`${this.url}/readyz`)).ok
    })
  }

  /** What the server printed for people: two sign-in addresses and the password. */
  people() {
    const addresses = [...this.output.matchAll(/\b[\w.+-]+@[\w.-]+\b/g)].map((match) => match[0])
    const password = /password\W+(\S+)/i.exec(this.output)?.[1]
    return { addresses: [...new Set(addresses)], password }
  }

  async end(signal) {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = once(this.process, 'exit')
    this.process.kill(signal)
    await ended
  }

  stop() { return this.end('SIGTERM') }
  kill() { return this.end('SIGKILL') }

  async remove() {
    await this.stop()
    rmSync(this.data, { recursive: true, force: true })
  }
}
