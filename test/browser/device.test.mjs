// What a device keeps: encrypted, until its owner or another person ends it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { arguments_, launch, newPerson, openChat, person, say, shows, signIn, tab } from './phone.mjs'
import { Server } from './server.mjs'

let browser, server, password, profile, opened

before(async () => {
  server = await Server.start()
  password = server.people().password
  browser = await launch()
  profile = mkdtempSync(join(tmpdir(), 'parley-profile-'))
})

after(async () => {
  await opened?.close()
  await browser?.close()
  await server?.remove()
  rmSync(profile, { recursive: true, force: true })
})

/** Every file below a folder that holds one of the texts, in UTF-8 or UTF-16. */
function holds(folder, texts) {
  const found = []
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const content = readFileSync(join(entry.parentPath ?? entry.path, entry.name))
    for (const text of texts) {
      if (content.includes(Buffer.from(text, 'utf8')) || content.includes(Buffer.from(text, 'utf16le'))) found.push(`${text} in ${entry.name}`)
    }
  }
  return found
}

/** Opens the browser over the profile that stays. */
async function open() {
  opened = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', args: arguments_, viewport: { width: 393, height: 852 }, locale: 'en-GB' })
  return person(opened, server)
}

async function close() {
  await opened.close()
  opened = undefined
}

const texts = ['CANARY-the-heron-flies-at-night', 'CANARY-answer-from-the-other-bank', 'CANARY-a-draft-never-sent', 'CANARY-sent-without-a-connection']

test('IM6 the raw profile of the device holds no message text', async () => {
  const hanna = await open()
  await signIn(hanna, 'hanna@demo.example', password)
  const kwame = await newPerson(browser, server)
  await signIn(kwame, 'kwame@demo.example', password)
  await openChat(hanna, 'Mens', 'Kwame Mensah')
  await say(hanna, texts[0])
  await openChat(kwame, 'petersen', 'Hanna Petersen')
  await shows(kwame, [texts[0]])
  await say(kwame, texts[1])
  await shows(hanna, [texts[0], texts[1]])
  await server.stop()
  await say(hanna, texts[3])
  await hanna.page.getByRole('textbox', { name: 'Message' }).fill(texts[2])
  await hanna.page.getByRole('log').getByText(texts[3]).waitFor()
  await tab(hanna, 'Chats')
  await hanna.page.getByText('Draft').waitFor()
  await close()
  assert.deepEqual(holds(profile, texts), [])
  await server.run()
  await kwame.context.close()
})

test('IM4 the history is there again when the app is opened again', async () => {
  const hanna = await open()
  await hanna.page.goto(server.url)
  await tab(hanna, 'Chats')
  await hanna.page.getByRole('link', { name: /Kwame Mensah/ }).click()
  await shows(hanna, [texts[0], texts[1], texts[3]])
  assert.equal(await hanna.page.getByRole('textbox', { name: 'Message' }).inputValue(), texts[2])
  await close()
})

test('IM6 signing out takes the key, signing in again brings the history back', async () => {
  const hanna = await newPerson(browser, server)
  await signIn(hanna, 'hanna@demo.example', password)
  await openChat(hanna, 'lindq', 'Zoë Lindqvist')
  await say(hanna, 'kept under a key')
  await hanna.page.getByText('Sent', { exact: true }).last().waitFor()
  const keys = () => hanna.page.evaluate(async () => {
    const found = []
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((resolve, reject) => {
        const request = indexedDB.open(name)
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
      for (const store of db.objectStoreNames) {
        const all = await new Promise((resolve) => {
          const request = db.transaction(store).objectStore(store).getAll()
          request.onsuccess = () => resolve(request.result)
        })
        const walk = (v) => (v instanceof CryptoKey ? found.push(v.extractable) : v && typeof v === 'object' && Object.values(v).forEach(walk))
        all.forEach(walk)
      }
      db.close()
    }
    return found
  })
  const held = await keys()
  assert.ok(held.length > 0 && held.every((extractable) => !extractable), `keys: ${held}`)
  await tab(hanna, 'My Info')
  await hanna.page.getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByRole('dialog').getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByLabel('Sign-in address').waitFor()
  assert.deepEqual(await keys(), [])
  await signIn(hanna, 'hanna@demo.example', password)
  await tab(hanna, 'Chats')
  await hanna.page.getByRole('link', { name: /Zoë Lindqvist/ }).click()
  await shows(hanna, ['kept under a key'])
  await hanna.context.close()
})

test('IM6 signing out works with the server gone', async () => {
  const hanna = await newPerson(browser, server)
  await signIn(hanna, 'hanna@demo.example', password)
  await tab(hanna, 'My Info')
  await server.stop()
  await hanna.page.getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByRole('dialog').getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByLabel('Sign-in address').waitFor()
  await server.run()
  await hanna.page.reload()
  await hanna.page.getByLabel('Sign-in address').waitFor()
  await hanna.context.close()
})

test('AC3 a device that is signed out from another one goes to sign-in at once', async () => {
  const phone = await newPerson(browser, server)
  const desk = await newPerson(browser, server, 'desk')
  await signIn(phone, 'jonas@demo.example', password)
  await signIn(desk, 'jonas@demo.example', password)
  await desk.page.goto(`${server.url}/#/info/options`)
  await desk.page.getByRole('link', { name: 'Devices' }).click()
  await desk.page.getByRole('main').getByRole('button', { name: /Sign out/i }).click()
  await desk.page.getByRole('dialog').getByRole('button', { name: /Sign out/i }).click()
  await phone.page.getByLabel('Sign-in address').waitFor()
  await phone.context.close()
  await desk.context.close()
})
