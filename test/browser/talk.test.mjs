// Two people on their phones find each other, see each other's state, and talk.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, bubbles, launch, newPerson, openCard, openChat, person, picture, say, shows, signIn, tab } from './phone.mjs'
import { Server, until } from './server.mjs'

let browser, server, hanna, kwame, password
const addresses = { hanna: 'hanna@demo.example', kwame: 'kwame@demo.example' }

before(async () => {
  server = await Server.start()
  password = server.people().password
  browser = await launch()
  hanna = await newPerson(browser, server)
  kwame = await newPerson(browser, server)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

test('the server prints its address, two sign-in addresses and the password', () => {
  const { addresses, password } = server.people()
  assert.match(server.output, new RegExp(server.url))
  assert.ok(addresses.length >= 2, server.output)
  assert.ok(password, server.output)
})

test('AC1 two people sign in with sign-in address and password', async () => {
  await hanna.page.goto(server.url)
  await hanna.page.getByRole('button', { name: 'Sign In', exact: true }).waitFor()
  await accessible(hanna, 'sign-in')
  await picture(hanna, 'phone-sign-in')
  await signIn(hanna, addresses.hanna, password)
  await signIn(kwame, addresses.kwame, password)
})

test('EM1 the emergency sentence stands at sign-in, on the dial pad and on the Privacy page', async () => {
  const sentence = 'Do not use Parley to call emergency services. It cannot determine your location. Close Parley and use your device’s dial pad.'
  const stranger = await newPerson(browser, server)
  const stands = async ({ page }) => {
    await page.getByText('Do not use Parley to call emergency services.').first().waitFor() // a screen may be loading
    const words = (await page.locator('body').innerText()).replaceAll("'", '’')
    assert.ok(words.includes(sentence), words)
  }
  await stranger.page.goto(server.url)
  await stranger.page.getByRole('button', { name: 'Sign In', exact: true }).waitFor()
  await stands(stranger)
  await stranger.page.getByRole('link', { name: 'Privacy' }).click()
  await stranger.page.getByRole('heading', { level: 1, name: 'Privacy' }).waitFor()
  await stands(stranger)
  await stranger.context.close()
  await tab(hanna, 'Phone')
  await stands(hanna)
})

test('AC1 a wrong password is told clearly and focuses the field', async () => {
  const stranger = await newPerson(browser, server)
  await stranger.page.goto(server.url)
  for (const address of [addresses.hanna, 'nobody@demo.example']) {
    await stranger.page.getByLabel('Sign-in address').fill(address)
    await stranger.page.getByLabel('Password', { exact: true }).fill('not the password')
    await stranger.page.getByRole('button', { name: 'Sign In', exact: true }).click()
    const told = await stranger.page.getByRole('alert').filter({ hasText: /./ }).innerText()
    assert.match(told, /address or the password is wrong/)
  }
  await stranger.context.close()
})

test('UC1 half a surname finds the person', async () => {
  await openCard(hanna, 'Mens', 'Kwame Mensah')
  await hanna.page.getByRole('main').getByText('Shipping Coordinator').first().waitFor()
  await accessible(hanna, 'card')
  await picture(hanna, 'phone-card')
})

test('PR2 a change of state is seen within a second', async () => {
  await openCard(hanna, 'Mens', 'Kwame Mensah')
  const card = hanna.page.getByRole('main')
  await card.getByText(/^Available/).first().waitFor()
  await tab(kwame, 'My Info')
  await kwame.page.getByRole('button', { name: /Available/ }).click()
  await accessible(kwame, 'state sheet')
  await kwame.page.getByRole('button', { name: 'Do Not Disturb' }).click()
  const started = Date.now()
  await card.getByText(/^Do Not Disturb/).first().waitFor()
  const took = Date.now() - started
  console.log(`  the change was seen ${took} ms after the tap`)
})

test('IM1 they chat both ways', async () => {
  await openChat(hanna, 'Mens', 'Kwame Mensah')
  await say(hanna, 'Is the Assam through customs?')
  await shows(hanna, ['Is the Assam through customs?'])
  await tab(kwame, 'Chats')
  await kwame.page.getByRole('link', { name: /Hanna Petersen/ }).click()
  await shows(kwame, ['Is the Assam through customs?'])
  await say(kwame, 'Since this morning.')
  await shows(hanna, ['Is the Assam through customs?', 'Since this morning.'])
  await say(hanna, 'Good.')
  await shows(kwame, ['Is the Assam through customs?', 'Since this morning.', 'Good.'])
  await hanna.page.getByText('Delivered').last().waitFor()
  await accessible(hanna, 'conversation')
  await picture(hanna, 'phone-conversation')
})

test('IM2 what is sent while the server is down arrives once and in order', async () => {
  await server.stop()
  await say(hanna, 'first while away')
  await say(hanna, 'second while away')
  await say(hanna, 'third while away')
  await hanna.page.getByText(/Not connected/).first().waitFor()
  await accessible(hanna, 'conversation without a connection')
  await picture(hanna, 'phone-offline')
  await server.run()
  const all = ['Is the Assam through customs?', 'Since this morning.', 'Good.', 'first while away', 'second while away', 'third while away']
  await shows(kwame, all)
  await shows(hanna, all)
  await hanna.page.getByText('Delivered').last().waitFor()
})

test('IM4 reloading without a connection shows the history', async () => {
  await until('the worker to control the page', () => hanna.page.evaluate(() => navigator.serviceWorker.controller !== null))
  await hanna.context.setOffline(true)
  await hanna.page.reload()
  await hanna.page.getByRole('textbox', { name: 'Message' }).waitFor()
  await until('the history', async () => (await bubbles(hanna).allInnerTexts()).includes('third while away'))
  await hanna.context.setOffline(false)
  await server.stop()
  await hanna.page.reload()
  await until('the history with the server down', async () => (await bubbles(hanna).allInnerTexts()).includes('third while away'))
  await server.run()
})

test('IM2 two tabs of one person show one conversation', async () => {
  const second = await person(hanna.context, server)
  await second.page.goto(hanna.page.url())
  await second.page.getByRole('textbox', { name: 'Message' }).waitFor()
  await say(second, 'from the second tab')
  for (const who of [hanna, second, kwame]) {
    await until('the message once', async () => (await bubbles(who).allInnerTexts()).filter((t) => t === 'from the second tab').length === 1)
  }
  await say(kwame, 'seen in both')
  for (const who of [hanna, second]) await until('the answer', async () => (await bubbles(who).allInnerTexts()).includes('seen in both'))
  await hanna.page.close() // the tab that held socket and store, or the other one: both must do
  await say(second, 'after the first tab went')
  await until('the message', async () => (await bubbles(kwame).allInnerTexts()).includes('after the first tab went'))
  hanna = second
})

test('IM5 Chats > Edit > select > Delete removes a conversation from this device', async () => {
  await tab(kwame, 'Chats')
  await kwame.page.getByRole('button', { name: 'Edit' }).click()
  await kwame.page.getByRole('checkbox', { name: /Hanna Petersen/ }).check()
  await accessible(kwame, 'chats being edited')
  await kwame.page.getByRole('button', { name: /^Delete/ }).first().click()
  await kwame.page.getByRole('dialog').getByRole('button', { name: /^Delete/ }).click()
  await kwame.page.getByText('No conversations').waitFor()
  await kwame.page.reload()
  await tab(kwame, 'Chats')
  await kwame.page.getByText('No conversations').waitFor()
})

test('IM4 another person who signs in on the device finds nothing of the former', async () => {
  const former = await hanna.page.evaluate(() => indexedDB.databases().then((all) => all.map((d) => d.name)))
  await tab(hanna, 'My Info')
  await hanna.page.getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByRole('dialog').getByRole('button', { name: 'Sign Out' }).click()
  await hanna.page.getByLabel('Sign-in address').waitFor()
  await signIn(hanna, 'zoe@demo.example', password)
  const now = await hanna.page.evaluate(() => indexedDB.databases().then((all) => all.map((d) => d.name)))
  const own = (names) => names.filter((name) => /parley-p\d+/.test(name))
  assert.equal(own(now).length, 1)
  assert.notDeepEqual(own(now), own(former))
  await tab(hanna, 'Chats')
  assert.equal(await hanna.page.getByText('third while away').count(), 0)
})

test('no page reported an error', () => {
  assert.deepEqual(hanna.trouble, [])
  assert.deepEqual(kwame.trouble, [])
})
