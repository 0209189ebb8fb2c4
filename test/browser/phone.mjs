// People in front of Chromium: a phone or a desk, each with a profile of its own.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, devices } from 'playwright-core'
import { root, until } from './server.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { defaultBrowserType, ...iPhone } = devices['iPhone 15']
export const out = join(root, 'test', 'out')
mkdirSync(out, { recursive: true })

export const arguments_ = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

export function launch() {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: arguments_ })
}

const desk = { viewport: { width: 1280, height: 800 } }

/** A new profile: `kind` is 'phone' or 'desk'. Every error that the page reports fails the test. */
export async function newPerson(browser, server, kind = 'phone', options = {}) {
  const context = await browser.newContext({ ...(kind === 'phone' ? iPhone : desk), locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
  return person(context, server)
}

export async function person(context, server) {
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const trouble = []
  page.on('pageerror', (error) => trouble.push(String(error)))
  page.on('console', (message) => {
    // A refused connection while the server is down is what the test made.
    if (message.type() === 'error' && !/ERR_|Failed to load resource|WebSocket connection/.test(message.text())) trouble.push(message.text())
  })
  return { context, page, server, trouble }
}

/** Types address and password and waits for the tabs. */
export async function signIn(who, address, password) {
  const { page, server } = who
  await page.goto(server.url)
  await page.getByLabel('Sign-in address').fill(address)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign In', exact: true }).click()
  await page.getByRole('link', { name: /^Contacts/ }).waitFor()
}

/** Goes to a tab; on a phone a card or a conversation covers the tabs, so back first. */
export async function tab(who, name) {
  const link = who.page.getByRole('navigation').getByRole('link', { name: new RegExp(`^${name}`) })
  const back = who.page.locator('main a.back')
  await until('the tabs', async () => {
    if (await link.isVisible()) return true
    if (await back.isVisible()) await back.click()
    return false
  })
  await link.click()
  // The former screen stays for a moment, with rows of the same names.
  await who.page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
}

/** Searches in Contacts and opens the card of the only match. */
export async function openCard(who, text, name) {
  await tab(who, 'Contacts')
  await who.page.getByRole('searchbox', { name: 'Search' }).fill(text)
  // Not the row of the Contacts list, which goes while it is being tapped.
  await who.page.getByRole('list', { name: 'People found' }).getByRole('link', { name: new RegExp(name) }).first().click()
  await who.page.getByRole('heading', { level: 1, name }).waitFor()
}

/** Opens the conversation from the card. */
export async function openChat(who, text, name) {
  await openCard(who, text, name)
  await who.page.getByRole('button', { name: 'IM', exact: true }).or(who.page.getByRole('link', { name: 'IM', exact: true })).click()
  await who.page.getByRole('textbox', { name: 'Message' }).waitFor()
}

export async function say(who, text) {
  await who.page.getByRole('textbox', { name: 'Message' }).fill(text)
  await who.page.getByRole('button', { name: 'Send', exact: true }).click()
}

export const bubbles = (who) => who.page.getByRole('log').locator('.bubble')

/** Waits until the conversation shows exactly these texts, in this order. */
export async function shows(who, texts) {
  let seen
  try {
    await until('the messages', async () => {
      seen = await bubbles(who).allInnerTexts()
      return JSON.stringify(seen) === JSON.stringify(texts)
    })
  } catch {
    assert.deepEqual(seen, texts)
  }
}

/** Fails on any violation of WCAG 2.2 A and AA on the screen as it is. */
export async function accessible(who, screen) {
  // What fades in is looked at when it is there; what never ends is not waited for.
  await who.page.evaluate(() => Promise.race([
    Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))),
    new Promise((resolve) => setTimeout(resolve, 1000)),
  ]))
  await who.page.evaluate(axe)
  const { violations } = await who.page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
  const told = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ').slice(0, 400)}`)
  assert.deepEqual(told, [], `accessibility of ${screen}`)
}

/** The same in light and in dark, with a picture of each. */
export async function accessibleInBoth(who, screen, name) {
  for (const colorScheme of ['dark', 'light']) {
    await who.page.emulateMedia({ colorScheme })
    await accessible(who, `${screen}, ${colorScheme}`)
    await picture(who, name.replace('-light-', `-${colorScheme}-`))
  }
}

export const picture = (who, name) => who.page.screenshot({ path: join(out, `${name}.png`) })

/** The build of the app that the page runs. */
export const build = (who) => who.page.locator('meta[name="parley-build"]').getAttribute('content')

/** The build of the app that a server hands out. */
export const buildOf = async (server) => /name="parley-build" content="(\w+)"/.exec(await (await fetch(server.url)).text())[1]
