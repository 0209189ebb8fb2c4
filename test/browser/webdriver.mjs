// WebKitGTK through WebKitWebDriver: the nearest thing to Safari on an iPhone that
// runs on a server. A small client of the WebDriver protocol (W3C), nothing more.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { endWithUs, freePort, until } from './server.mjs'

const miniBrowser = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'

/** Starts a display and the driver (with compositing: without it the browser crashes in view transitions); `close` ends both. */
export async function startWebKit() {
  const port = await freePort()
  const screen = endWithUs(spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] }))
  const display = String((await once(screen.stdio[3], 'data'))[0]).trim()
  const driver = endWithUs(spawn('WebKitWebDriver', [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    env: {
      ...process.env, DISPLAY: `:${display}`,
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', LIBGL_ALWAYS_SOFTWARE: '1',
    },
  }))
  const base = `http://127.0.0.1:${port}`
  await until('WebKitWebDriver to answer', async () => (await fetch(`${base}/status`)).ok)
  return {
    session: () => Session.open(base),
    async close() {
      for (const child of [driver, screen]) {
        const ended = once(child, 'exit')
        child.kill()
        await ended
      }
    },
  }
}

const elementKey = 'element-6066-11e4-a52e-4f735466cecf'

class Session {
  static async open(base) {
    const session = new Session()
    session.base = base
    const answer = await session.command('POST', '/session', {
      capabilities: { alwaysMatch: { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary: miniBrowser, args: ['--automation'] } } },
    })
    session.base = `${base}/session/${answer.sessionId}`
    await session.command('POST', '/timeouts', { script: 20_000, implicit: 0, pageLoad: 30_000 })
    await session.command('POST', '/window/rect', { width: 393, height: 852 })
    return session
  }

  async command(method, path, body) {
    const response = await fetch(this.base + path, {
      method, headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body),
    })
    const { value } = await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`)
    return value
  }

  open(url) { return this.command('POST', '/url', { url }) }
  run(script, ...args) { return this.command('POST', '/execute/sync', { script, args }) }

  /** Finds an element by role and accessible name, computed by the browser itself where it can. */
  async find(role, name) {
    return until(`${role} "${name}"`, async () => {
      const found = await this.run(finder, role, name)
      return found?.[elementKey]
    })
  }

  /** Clicks; tries again when the element is replaced or moves while it is being clicked. */
  async click(role, name) {
    return until(`a click on ${role} "${name}"`, async () => {
      await this.command('POST', `/element/${await this.find(role, name)}/click`, {})
      return true
    })
  }

  async type(role, name, text) { return this.command('POST', `/element/${await this.find(role, name)}/value`, { text }) }
  text() { return this.run('return document.body.innerText') }
  sees(text, limit) { return until(`the text "${text}"`, async () => (await this.text()).includes(text), limit) }
  async screenshot(file) { writeFileSync(file, Buffer.from(await this.command('GET', '/screenshot'), 'base64')) }
  close() { return this.command('DELETE', '') }
}

// Runs in the page: the first visible element of a role with this accessible name.
const finder = `
const [role, name] = arguments
const selectors = { button: 'button,[role=button]', link: 'a[href]', textbox: 'input:not([type=checkbox]),textarea', searchbox: 'input[type=search]', switch: '[role=switch]', heading: 'h1,h2' }
const label = (e) => (e.getAttribute('aria-label') ?? [...(e.labels ?? [])].map((l) => l.innerText).join(' ') ?? '').trim() || e.innerText?.trim() || e.placeholder || ''
return [...document.querySelectorAll(selectors[role])].find((e) => e.getClientRects().length && !e.disabled && (label(e) === name || label(e).startsWith(name) || (role === 'link' && label(e).includes(name))))
`
