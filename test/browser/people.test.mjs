// Finding people, what stands on a card, and the settings that decide it: numbers that
// somebody typed, pictures, groups of the directory.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, accessibleInBoth, launch, newPerson, openCard, picture, shows, signIn, tab } from './phone.mjs'
import { Server, until } from './server.mjs'

let browser, server, password, desk, phone, kwame

before(async () => {
  server = await Server.start()
  password = server.people().password
  browser = await launch()
  desk = await newPerson(browser, server, 'desk')
  phone = await newPerson(browser, server)
  kwame = await newPerson(browser, server, 'desk')
  await signIn(desk, 'hanna@demo.example', password)
  await signIn(phone, 'hanna@demo.example', password)
  await signIn(kwame, 'kwame@demo.example', password)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

const search = (who, text) => who.page.getByRole('searchbox', { name: 'Search' }).fill(text)
const results = (who) => who.page.getByRole('list', { name: 'People found' })
const main = (who) => who.page.getByRole('main')
const reach = (who) => main(who).getByRole('list', { name: 'Phone numbers and mail' })
const settings = async (who, page) => {
  await who.page.goto(`${server.url}/#/info/settings/${page}`)
  await who.page.getByRole('heading', { level: 1 }).last().waitFor()
}
const soren = /Søren Ångström/

test('UC1 "angs sor" finds Søren Ångström', async () => {
  await search(phone, 'angs sor')
  await results(phone).getByRole('link', { name: soren }).waitFor()
  await accessibleInBoth(phone, 'search results', 'phone-light-search')
  await search(phone, 'soren.angstrom nobody')
  await phone.page.getByText('No one found').waitFor()
})

test('UC1 somebody is found by the number as it is dialled from another country', async () => {
  await search(phone, 'soren')
  await results(phone).getByRole('link', { name: soren }).click()
  const number = (await reach(phone).getByRole('link', { name: /^Work/ }).getAttribute('href')).replace('tel:+', '')
  await tab(phone, 'Contacts')
  await search(phone, `011 ${number}`)
  await results(phone).getByRole('link', { name: soren }).waitFor()
  await search(phone, `00${number}`)
  const said = results(phone).getByRole('link', { name: soren }).locator('.matched')
  await until('the row to say by which number', async () => (await said.textContent()).replace(/\D/g, '').endsWith(number.slice(-6)))
  await search(phone, '')
})

test('UC1 the dial pad finds people by letters and by digits', async () => {
  await tab(phone, 'Phone')
  const key = () => phone.page.getByRole('button', { name: '5', exact: true }).boundingBox()
  const place = await key()
  for (const digit of '76736') await phone.page.getByRole('button', { name: digit, exact: true }).click()
  const found = phone.page.getByRole('list', { name: 'People with this number or name' })
  await found.getByRole('link', { name: soren }).waitFor()
  assert.deepEqual(await key(), place, 'the keys moved while somebody typed')
  await accessibleInBoth(phone, 'dial pad with people', 'phone-light-pad')
  await found.getByRole('link', { name: soren }).click()
  await phone.page.getByRole('heading', { level: 1, name: soren }).waitFor()
})

test('CC2 one tap on the card writes, calls and mails; numbers are copied', async () => {
  await desk.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await openCard(desk, 'mens', 'Kwame Mensah')
  await main(desk).getByRole('button', { name: 'Email', exact: true }).waitFor()
  assert.equal(await main(desk).getByRole('button', { name: 'Email', exact: true }).getAttribute('href'), 'mailto:kwame@demo.example')
  assert.match(await main(desk).getByRole('button', { name: 'Meet', exact: true }).getAttribute('href'), /^mailto:kwame@demo\.example\?subject=/)
  assert.match(await main(desk).getByRole('button', { name: 'IM', exact: true }).getAttribute('href'), /#\/chats\//)
  const number = await reach(desk).getByRole('link', { name: /^Work/ }).getAttribute('href')
  assert.match(number, /^tel:\+44\d+$/)
  await reach(desk).getByRole('button', { name: `Copy ${number.slice(4)}` }).click()
  assert.equal(await desk.page.evaluate(() => navigator.clipboard.readText()), number.slice(4))
  await main(desk).getByRole('link', { name: /Jürgen Großmann/ }).click()
  await desk.page.getByRole('heading', { level: 1, name: 'Jürgen Großmann' }).waitFor()
  await main(desk).getByRole('heading', { name: 'Reports' }).waitFor()
  await main(desk).getByRole('link', { name: /Kwame Mensah/ }).waitFor()
})

test('CC5 a number that somebody types is on their card, marked, and gone when it is removed', async () => {
  await settings(kwame, 'phones')
  await main(kwame).getByRole('button', { name: 'Add a number' }).click()
  const sheet = kwame.page.getByRole('dialog')
  await sheet.getByLabel('Kind').selectOption('work')
  await sheet.getByLabel('Number').fill('12')
  await sheet.getByRole('button', { name: 'Save' }).click()
  await sheet.getByRole('alert').waitFor()
  await accessible(kwame, 'a number that is none')
  await sheet.getByLabel('Number').fill('+44 20 7946 0999')
  await sheet.getByRole('button', { name: 'Save' }).click()
  const own = main(kwame).getByRole('list', { name: 'Typed by you' })
  const listed = own.getByRole('link', { name: /7946 0999/ })
  await listed.waitFor()
  assert.equal(await listed.getAttribute('href'), 'tel:+442079460999')
  await kwame.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await own.getByRole('button', { name: 'Copy +442079460999' }).click()
  assert.equal(await kwame.page.evaluate(() => navigator.clipboard.readText()), '+442079460999')
  // A number of the organisation's country is read as one writes it there, and shown as it is dialled from everywhere.
  await main(kwame).getByRole('button', { name: 'Add a number' }).click()
  await sheet.getByLabel('Kind').selectOption('work')
  await sheet.getByLabel('Number').fill('+49 30 901820')
  await sheet.getByRole('button', { name: 'Save' }).click()
  const national = own.getByRole('link', { name: /030 901820 ?\+4930901820/ })
  assert.equal(await national.getAttribute('href'), 'tel:+4930901820')
  await accessibleInBoth(kwame, 'settings, phone numbers', 'desk-light-settings-phones')
  await tab(kwame, 'My Info')
  await kwame.page.getByText(/7946 0999/).first().waitFor()
  await openCard(phone, 'mens', 'Kwame Mensah')
  const typed = reach(phone).getByRole('link', { name: /typed by Kwame Mensah.*0999/ })
  await typed.waitFor()
  assert.equal(await typed.getAttribute('href'), 'tel:+442079460999')
  await reach(phone).getByRole('link', { name: /030 901820 ?\+4930901820/ }).waitFor()
  await reach(phone).getByRole('button', { name: 'Copy +4930901820' }).waitFor()
  await accessibleInBoth(phone, 'card with a typed number', 'phone-light-card-typed')
  await settings(kwame, 'phones')
  await own.getByRole('button', { name: /^Remove .*0999/ }).click()
  await typed.waitFor({ state: 'detached' })
  await kwame.page.getByRole('button', { name: 'Undo' }).click()
  await typed.waitFor()
})

test('PP2 a picture that is no longer shared is gone for others at once', async () => {
  const face = main(phone).locator('.top-card .face img')
  await face.waitFor()
  await settings(kwame, 'pictures')
  await accessibleInBoth(kwame, 'settings, pictures', 'desk-light-settings-pictures')
  const started = Date.now()
  await kwame.page.getByRole('switch', { name: 'Share my picture' }).click()
  await face.waitFor({ state: 'detached' })
  console.log(`  the picture was gone ${Date.now() - started} ms after the switch`)
  await kwame.page.getByRole('switch', { name: 'Share my picture' }).click()
  await face.waitFor()
})

test('PP2 whoever wants no pictures gets none, on the phone too, where it is read only', async () => {
  await settings(desk, 'pictures')
  await desk.page.getByRole('switch', { name: 'Show other people\'s pictures' }).click()
  await phone.page.locator('.face img').first().waitFor({ state: 'detached' })
  await phone.page.goto(`${server.url}/#/info/options/pictures`)
  await main(phone).getByText('Change this on a computer.').waitFor()
  await main(phone).getByText('Off', { exact: true }).waitFor()
  assert.equal(await phone.page.getByRole('switch').count(), 0)
  await accessibleInBoth(phone, 'options, pictures', 'phone-light-options-pictures')
  await tab(desk, 'Contacts')
  await search(desk, '')
  await desk.page.getByRole('link', { name: /Großmann/ }).first().waitFor()
  assert.equal(await desk.page.locator('.pane.list .face img').count(), 0)
  await settings(desk, 'pictures')
  await desk.page.getByRole('switch', { name: 'Show other people\'s pictures' }).click()
  await tab(desk, 'Contacts')
  await desk.page.locator('.pane.list .face img').first().waitFor()
})

test('UC5 the settings are read only on a phone', async () => {
  for (const page of ['contacts', 'phones', 'pictures']) {
    await settings(phone, page)
    await main(phone).getByText('Change this on a computer.').waitFor()
    assert.equal(await main(phone).getByRole('button').and(main(phone).locator(':not([aria-label^="Copy "])')).count(), 0, page)
    assert.equal(await main(phone).locator('input').count(), 0, page)
    await accessibleInBoth(phone, `settings, ${page}, on a phone`, `phone-light-settings-${page}`)
  }
})

test('pages that are only read are scrolled with the keyboard, in large text on a small phone', async () => {
  await phone.page.setViewportSize({ width: 320, height: 640 })
  for (const page of ['settings/phones', 'settings/pictures', 'options/pictures']) {
    await phone.page.goto(`${server.url}/#/info/${page}`)
    await phone.page.getByRole('heading', { level: 1 }).last().waitFor()
    await phone.page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
    await accessible(phone, `${page} in large text`)
  }
  await phone.page.evaluate(() => (document.documentElement.style.fontSize = ''))
})

test('UC5 a group of the directory is found, opened, made a contact, and written to', async () => {
  await tab(desk, 'Contacts')
  await search(desk, 'night shift')
  await results(desk).getByRole('link', { name: /Harbour Night Shift/ }).click()
  await main(desk).getByRole('list', { name: 'People' }).getByRole('link', { name: /Kwame Mensah/ }).waitFor()
  await accessibleInBoth(desk, 'group of the directory', 'desk-light-group')
  await main(desk).getByRole('button', { name: 'Add to Contacts' }).click()
  await search(desk, '')
  await desk.page.getByRole('list', { name: 'Other contacts' }).getByRole('link', { name: /Harbour Night Shift/ }).waitFor()
  await main(desk).getByRole('button', { name: 'Message everybody' }).click()
  await main(desk).getByText(/^4 people of Harbour Night Shift get this, each as a message from you/).waitFor()
  await main(desk).getByLabel('Message').fill('Stocktaking at four')
  await accessibleInBoth(desk, 'message to everybody', 'desk-light-everybody')
  await main(desk).getByRole('button', { name: 'Send to 4 people' }).click()
  await main(desk).getByText('Sent to all 4 people').waitFor()
  await picture(desk, 'desk-light-everybody-sent')
  await tab(kwame, 'Chats')
  await kwame.page.getByRole('link', { name: /Hanna Petersen/ }).click()
  await shows(kwame, ['Stocktaking at four'])
})

test('UC5 a message to everybody waits without a connection, and is sent after a reload', async () => {
  await desk.page.goto(`${server.url}/#/chats/new`)
  await main(desk).getByRole('searchbox', { name: 'Search' }).fill('night shift')
  await main(desk).getByRole('link', { name: /Harbour Night Shift/ }).click()
  await main(desk).getByText(/get this, each as a message from you/).waitFor()
  await until('the worker to control the page', () => desk.page.evaluate(() => navigator.serviceWorker.controller !== null))
  await main(desk).getByLabel('Message').fill('Moved to five')
  await tab(desk, 'Contacts')
  await desk.page.goBack()
  await until('the words to be there again', async () => (await main(desk).getByLabel('Message').inputValue()) === 'Moved to five')
  await server.stop()
  await main(desk).getByRole('button', { name: 'Send to 4 people' }).click()
  await main(desk).getByText('0 of 4 sent').waitFor()
  await desk.page.reload()
  await server.run()
  await shows(kwame, ['Stocktaking at four', 'Moved to five'])
})

test('nothing that one person did is offered, shown or said to the next on the same device', async () => {
  const zoe = await newPerson(browser, server, 'desk')
  await signIn(zoe, 'zoe@demo.example', password)
  await settings(zoe, 'phones')
  await zoe.page.getByRole('button', { name: 'Add a number' }).click()
  await zoe.page.getByRole('dialog').getByLabel('Number', { exact: true }).fill('+49 151 23456789')
  await zoe.page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await zoe.page.getByRole('button', { name: /^Remove/ }).click()
  await zoe.page.getByRole('button', { name: 'Undo' }).focus() // it stays while somebody is about to take it
  await tab(zoe, 'My Info')
  await zoe.page.getByRole('button', { name: 'Undo' }).waitFor()
  await zoe.page.getByRole('button', { name: 'Sign Out' }).click()
  await zoe.page.getByRole('dialog').getByRole('button', { name: 'Sign Out' }).click()
  await zoe.page.getByLabel('Sign-in address').waitFor()
  const left = async () => [await zoe.page.getByRole('button', { name: 'Undo' }).count(), await zoe.page.locator('#announcement').textContent(), await zoe.page.getByText('23456789').count()]
  assert.deepEqual(await left(), [0, '', 0])
  await signIn(zoe, 'pawel@demo.example', password)
  assert.deepEqual(await left(), [0, '', 0])
  await settings(zoe, 'phones')
  await zoe.page.getByText('You have typed no numbers').waitFor()
  assert.equal(await zoe.page.getByText('23456789').count(), 0, 'the number of one person is on the account of the next')
  await zoe.context.close()
})

test('no page reported an error', () => {
  for (const who of [desk, phone, kwame]) assert.deepEqual(who.trouble, [])
})
