// The smoke run in WebKitGTK, the nearest thing to Safari on an iPhone that runs
// here: every screen opens, a message goes out and comes in, and history and shell
// are there with the server gone.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { launch, newPerson, openChat, out, say, signIn } from './phone.mjs'
import { Server } from './server.mjs'
import { startWebKit } from './webdriver.mjs'

let server, webkit, page, browser, kwame, password

before(async () => {
  server = await Server.start()
  password = server.people().password
  webkit = await startWebKit()
  page = await webkit.session()
  browser = await launch()
  kwame = await newPerson(browser, server)
  await signIn(kwame, 'kwame@demo.example', password)
})

after(async () => {
  await browser?.close()
  await page?.close()
  await webkit?.close()
  await server?.remove()
})
const shot = (name) => page.screenshot(join(out, `webkit-${name}.png`))

test('WebKit: sign in', async () => {
  await page.open(server.url)
  await page.run('globalThis.errors = []; addEventListener("error", (e) => errors.push(e.message)); addEventListener("unhandledrejection", (e) => errors.push(String(e.reason)))')
  await page.type('textbox', 'Sign-in address', 'hanna@demo.example')
  await page.type('textbox', 'Password', password)
  await page.click('button', 'Sign In')
  await page.find('searchbox', 'Search')
  await page.sees('Jürgen Großmann')
  await shot('contacts')
})

test('WebKit: search, card, conversation both ways', async () => {
  await page.type('searchbox', 'Search', 'mens')
  await page.click('link', 'Kwame Mensah')
  await page.sees('Shipping Coordinator')
  await shot('card')
  await page.click('button', 'IM')
  await page.type('textbox', 'Message', 'hello from WebKit')
  await page.click('button', 'Send')
  await page.sees('hello from WebKit')
  await openChat(kwame, 'petersen', 'Hanna Petersen')
  await kwame.page.getByRole('log').getByText('hello from WebKit').waitFor()
  await say(kwame, 'hello from Chromium')
  await page.sees('hello from Chromium')
  await page.sees('Delivered')
  await shot('conversation')
})

test('WebKit: the other tabs', async () => {
  const conversation = await page.run('return location.hash')
  for (const [hash, words] of [['#/chats', 'Kwame Mensah'], ['#/phone', 'emergency services'], ['#/info', 'Sign Out'], ['#/info/options', 'Pictures']]) {
    await page.run(`location.hash = ${JSON.stringify(hash)}`)
    await page.sees(words)
    await shot(hash.replaceAll(/\W+/g, '-').slice(1))
  }
  await page.run(`location.hash = ${JSON.stringify(conversation)}`)
  assert.deepEqual(await page.run('return errors'), [])
  assert.ok(!(await page.text()).includes('new version'), 'the first worker of all is taken for an update')
})

test('WebKit: history and shell with the server gone', async () => {
  await page.command('POST', '/execute/async', { script: 'navigator.serviceWorker.ready.then(() => arguments[arguments.length - 1](1))', args: [] })
  await server.stop()
  await page.command('POST', '/refresh', {})
  await page.sees('hello from Chromium')
  await server.run()
})
