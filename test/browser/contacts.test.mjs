// Contacts and groups: managed at a desk with the mouse and with the keyboard, seen
// at once on the phone, and told to whoever was added.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { accessible, accessibleInBoth, launch, newPerson, openCard, signIn, tab } from './phone.mjs'
import { Server, until } from './server.mjs'

let browser, server, password, desk, phone, kwame

before(async () => {
  server = await Server.start()
  password = server.people().password
  browser = await launch()
  desk = await newPerson(browser, server, 'desk')
  phone = await newPerson(browser, server)
  kwame = await newPerson(browser, server)
  await signIn(desk, 'hanna@demo.example', password)
  await signIn(phone, 'hanna@demo.example', password)
  await signIn(kwame, 'kwame@demo.example', password)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

const search = (who, text) => who.page.getByRole('searchbox', { name: 'Search' }).fill(text)
const list = (who, name) => who.page.getByRole('list', { name, exact: true })
const row = (who, group, name) => list(who, group).getByRole('link', { name: new RegExp(name) })
const heading = (who, group) => who.page.getByRole('heading', { level: 2 }).getByRole('button', { name: new RegExp(`^${group}`) })
const dialog = (who) => who.page.getByRole('dialog')
const choose = (who, name) => dialog(who).getByRole('button', { name, exact: true }).click()
const menu = (who, group, name) => list(who, group).getByRole('button', { name: `Actions for ${name}` }).click()
const said = (who, words) => until(`"${words}" to be said`, async () => (await who.page.locator('#announcement').textContent()).includes(words))

/** Adds somebody from the search. */
async function add(who, text, name) {
  await search(who, text)
  await who.page.getByRole('button', { name: `Add ${name} to Contacts` }).click()
  await said(who, `${name} is now a contact`)
  await search(who, '')
}

async function newGroup(who, name) {
  await who.page.getByRole('button', { name: 'New group' }).click()
  await dialog(who).getByLabel('Name of the group').fill(name)
  await accessible(who, 'new group')
  await choose(who, 'Make group')
  await heading(who, name).waitFor()
}

const order = (who) => who.page.getByRole('heading', { level: 2 }).getByRole('button').evaluateAll((all) => all.map((b) => b.querySelector('bdi').textContent))

test('UC5 whoever has no contacts is offered the people they work with', async () => {
  await desk.page.getByRole('heading', { name: 'People you work with' }).waitFor()
  await row(desk, 'My team', 'Jürgen Großmann').waitFor()
  await phone.page.getByText('These people are a start. Contacts are added on a computer.').waitFor()
  assert.equal(await desk.page.getByText('Contacts are added on a computer.').count(), 0)
  await phone.page.getByText('Contacts and groups are managed on a computer.').waitFor()
  assert.equal(await phone.page.getByRole('button', { name: /^Add|New group|Edit/ }).count(), 0, 'the phone manages contacts')
})

test('UC5 what is managed at a desk is on the phone at once', async () => {
  await add(desk, 'mens', 'Kwame Mensah')
  await said(kwame, 'Hanna Petersen added you')
  await add(desk, 'lindq', 'Zoë Lindqvist')
  await add(desk, 'grossm', 'Jürgen Großmann')
  await row(phone, 'Other contacts', 'Kwame Mensah').waitFor()
  await newGroup(desk, 'Ships')
  await newGroup(desk, 'Tea')
  await menu(desk, 'Other contacts', 'Kwame Mensah')
  await accessibleInBoth(desk, 'menu of a contact', 'desk-light-contact-menu')
  await choose(desk, 'Move to…')
  await choose(desk, 'Ships')
  await said(desk, 'Kwame Mensah moved to Ships')
  await row(phone, 'Ships', 'Kwame Mensah').waitFor()
  await until('Kwame to have left the others', async () => (await row(phone, 'Other contacts', 'Kwame Mensah').count()) === 0)
  await menu(desk, 'Ships', 'Kwame Mensah')
  await choose(desk, 'Add to Favourites')
  await row(phone, 'Favourites', 'Kwame Mensah').waitFor()
  await menu(desk, 'Ships', 'Kwame Mensah')
  await choose(desk, 'Copy to…')
  await choose(desk, 'Tea')
  await row(phone, 'Tea', 'Kwame Mensah').waitFor()
  await row(phone, 'Ships', 'Kwame Mensah').waitFor()
  await accessibleInBoth(desk, 'contacts that are managed', 'desk-light-groups')
  await accessibleInBoth(phone, 'contacts that are read', 'phone-light-groups')
})

test('UC5 dragging moves a contact, and copies with Ctrl held', async () => {
  await row(desk, 'Other contacts', 'Zoë Lindqvist').dragTo(heading(desk, 'Tea'))
  await row(phone, 'Tea', 'Zoë Lindqvist').waitFor()
  assert.equal(await row(desk, 'Other contacts', 'Zoë Lindqvist').count(), 0)
  const from = await row(desk, 'Tea', 'Zoë Lindqvist').boundingBox()
  const to = await heading(desk, 'Ships').boundingBox()
  const { mouse, keyboard } = desk.page
  await mouse.move(from.x + 60, from.y + 20)
  await mouse.down()
  await mouse.move(from.x + 70, from.y + 10, { steps: 3 })
  await keyboard.down('Control')
  await mouse.move(to.x + 60, to.y + 12, { steps: 8 })
  await mouse.up()
  await keyboard.up('Control')
  await row(phone, 'Ships', 'Zoë Lindqvist').waitFor()
  await row(phone, 'Tea', 'Zoë Lindqvist').waitFor()
})

test('UC5 groups are renamed, put in order with the keyboard, and deleted with a way back', async () => {
  assert.deepEqual((await order(desk)).filter((n) => n === 'Ships' || n === 'Tea'), ['Ships', 'Tea'])
  await heading(desk, 'Tea').focus()
  await desk.page.keyboard.press('Alt+ArrowUp')
  await said(desk, 'Tea is now group 1 of 2')
  await until('the phone to show the order', async () => (await order(phone)).filter((n) => n === 'Ships' || n === 'Tea').join() === 'Tea,Ships')
  await until('the focus to stay', () => heading(desk, 'Tea').evaluate((e) => e === document.activeElement))
  await desk.page.getByRole('button', { name: 'Actions for the group Ships' }).click()
  await choose(desk, 'Rename')
  await dialog(desk).getByLabel('Name of the group').fill('Shipping')
  await choose(desk, 'Save')
  await heading(phone, 'Shipping').waitFor()
  await desk.page.getByRole('button', { name: 'Actions for the group Shipping' }).click()
  await choose(desk, 'Delete group')
  await until('the group to go', async () => (await heading(phone, 'Shipping').count()) === 0)
  await until('the focus to be on the next group', () => heading(desk, 'Other contacts').evaluate((e) => e === document.activeElement))
  await desk.page.getByRole('button', { name: 'Undo' }).click()
  await row(phone, 'Shipping', 'Kwame Mensah').waitFor()
  await row(phone, 'Shipping', 'Zoë Lindqvist').waitFor()
})

test('UC5 several are picked and moved, and a removal is undone', async () => {
  await desk.page.getByRole('button', { name: 'Edit' }).click()
  await list(desk, 'Tea').getByRole('checkbox', { name: 'Zoë Lindqvist' }).check()
  await list(desk, 'Other contacts').getByRole('checkbox', { name: 'Jürgen Großmann' }).check()
  await accessibleInBoth(desk, 'contacts that are picked', 'desk-light-picking')
  await desk.page.getByRole('button', { name: 'Move to…' }).click()
  await choose(desk, 'Shipping')
  await said(desk, '2 contacts moved to Shipping')
  await row(phone, 'Shipping', 'Jürgen Großmann').waitFor()
  await menu(desk, 'Shipping', 'Jürgen Großmann')
  await choose(desk, 'Remove from Contacts')
  await until('the focus to be on the next row', () => list(desk, 'Shipping').evaluate((e) => e.contains(document.activeElement)))
  await until('Jürgen to go', async () => (await phone.page.getByRole('link', { name: /Jürgen Großmann/ }).count()) === 0)
  await desk.page.getByRole('button', { name: 'Undo' }).focus() // it stays while somebody is about to take it
  await accessibleInBoth(desk, 'contacts with a way back', 'desk-light-undo')
  await desk.page.getByRole('button', { name: 'Undo' }).click()
  await row(phone, 'Shipping', 'Jürgen Großmann').waitFor()
})

test('UC5 what could not be changed of many stays picked', async () => {
  await desk.page.getByRole('button', { name: 'Edit' }).click()
  for (const name of ['Kwame Mensah', 'Zoë Lindqvist']) await list(desk, 'Shipping').getByRole('checkbox', { name }).check()
  await desk.context.setOffline(true)
  await desk.page.getByRole('button', { name: 'Remove', exact: true }).click()
  await desk.page.getByRole('alert').filter({ hasText: /./ }).waitFor()
  assert.equal(await list(desk, 'Shipping').getByRole('checkbox', { checked: true }).count(), 2)
  await desk.context.setOffline(false)
  await desk.page.getByRole('button', { name: 'Done' }).click()
})

test('UC5 groups fold away, and the list is read without a connection', async () => {
  await heading(phone, 'Tea').click()
  await until('the group to fold', async () => (await list(phone, 'Tea').count()) === 0)
  // What a reload interrupts is not kept; another tab shows when it is.
  const other = { page: await phone.context.newPage() }
  await until('the fold to be kept', async () => {
    await other.page.goto(server.url)
    await row(other, 'Shipping', 'Kwame Mensah').waitFor()
    return (await list(other, 'Tea').count()) === 0
  })
  await other.page.close()
  await until('the worker to control the page', () => phone.page.evaluate(() => navigator.serviceWorker.controller !== null))
  await phone.context.setOffline(true)
  try {
    await phone.page.reload()
    await row(phone, 'Shipping', 'Kwame Mensah').waitFor()
    assert.equal(await list(phone, 'Tea').count(), 0, 'the group unfolded with a reload')
  } finally {
    await phone.context.setOffline(false)
  }
})

test('UC5 being added is told, and adding back with a level shows more', async () => {
  const badge = kwame.page.getByRole('navigation').getByLabel('1 person added you')
  await badge.waitFor()
  await kwame.page.reload()
  await badge.waitFor()
  await kwame.page.getByRole('link', { name: '1 person added you', exact: true }).click()
  await kwame.page.getByRole('main').getByText('Hanna Petersen added you').waitFor()
  assert.equal(await kwame.page.locator('#announcement').textContent(), '', 'what waited at the start is announced as news')
  await accessibleInBoth(kwame, 'who added me', 'phone-light-added')
  await openCard(desk, 'mens', 'Kwame Mensah')
  const numbers = desk.page.getByRole('main').getByRole('list', { name: 'Phone numbers and mail' })
  await numbers.getByRole('link', { name: /^Work/ }).waitFor()
  assert.equal(await numbers.getByRole('link', { name: /^Mobile/ }).count(), 0)
  await kwame.page.getByRole('button', { name: 'Add back…' }).click()
  await accessibleInBoth(kwame, 'choosing a level', 'phone-light-levels')
  await dialog(kwame).getByRole('button', { name: /^Workgroup/ }).click()
  await kwame.page.getByText('Nobody new').waitFor()
  // Nobody is told of a change of level: whoever opens the card next sees it.
  await openCard(desk, 'grossm', 'Jürgen Großmann')
  await openCard(desk, 'mens', 'Kwame Mensah')
  await numbers.getByRole('link', { name: /^Mobile/ }).waitFor()
  await tab(kwame, 'Contacts')
  await row(kwame, 'Other contacts', 'Hanna Petersen').waitFor()
  assert.equal(await badge.count(), 0)
})

test('UC5 whoever was added can block', async () => {
  const zoe = await newPerson(browser, server)
  await signIn(zoe, 'zoe@demo.example', password)
  await openCard(desk, 'lindq', 'Zoë Lindqvist')
  await desk.page.getByRole('main').getByText(/^Available/).first().waitFor()
  await zoe.page.getByRole('link', { name: '1 person added you', exact: true }).click()
  await zoe.page.getByRole('button', { name: 'Block' }).click()
  await dialog(zoe).getByRole('button', { name: 'Block' }).click()
  await zoe.page.getByText('Nobody new').waitFor()
  await desk.page.getByRole('main').getByText(/^Offline/).first().waitFor()
  await zoe.context.close()
})

test('PR7 the relationship is chosen on the card at a desk, and read on a phone', async () => {
  await openCard(desk, 'mens', 'Kwame Mensah')
  await desk.page.getByRole('button', { name: /^Relationship/ }).click()
  await dialog(desk).getByRole('button', { name: /^Friends and Family/ }).click()
  await desk.page.getByRole('button', { name: /^Relationship Friends and Family/ }).waitFor()
  await accessibleInBoth(desk, 'card at a desk', 'desk-light-card-managed')
  await openCard(phone, 'mens', 'Kwame Mensah')
  await phone.page.getByRole('main').getByText('Friends and Family').waitFor()
  await phone.page.getByText('Change this on a computer.').waitFor()
  assert.equal(await phone.page.getByRole('button', { name: /^Relationship/ }).count(), 0)
  await tab(phone, 'Contacts')
  await search(phone, '')
})

test('PR7 blocking from the list of relationships is asked about first', async () => {
  await openCard(desk, 'mens', 'Kwame Mensah')
  await desk.page.getByRole('button', { name: /^Relationship/ }).click()
  await dialog(desk).getByRole('button', { name: /^Blocked/ }).click()
  await dialog(desk).getByText('Block Kwame Mensah?').waitFor()
  await accessible(desk, 'asking before blocking')
  await choose(desk, 'Cancel')
  await desk.page.getByRole('button', { name: /^Relationship Friends and Family/ }).waitFor()
  await search(desk, '')
})

test('UC5 the list is taken out and brought in as JSON and as vCards', async () => {
  await desk.page.goto(`${server.url}/#/info/settings/contacts`)
  await accessibleInBoth(desk, 'settings, contacts and groups', 'desk-light-settings-contacts')
  for (const [name, holds] of [['Export for Parley (JSON)', /"Shipping"/], ['Export for other programs (vCard)', /BEGIN:VCARD[\s\S]*kwame@demo\.example/]]) {
    const download = desk.page.waitForEvent('download')
    await desk.page.getByRole('link', { name }).click()
    const path = await (await download).path()
    assert.match(readFileSync(path, 'utf8'), holds)
  }
  const card = ['BEGIN:VCARD', 'VERSION:3.0', 'FN:Maren', 'EMAIL:maren@demo.example', 'CATEGORIES:Heads', 'END:VCARD', 'BEGIN:VCARD', 'VERSION:3.0', 'FN:Nobody', 'EMAIL:nobody@elsewhere.example', 'END:VCARD', '']
  await desk.page.getByLabel('Import a file').setInputFiles({ name: 'more.vcf', mimeType: 'text/vcard', buffer: Buffer.from(card.join('\r\n')) })
  await desk.page.getByText('Added 1').waitFor()
  await desk.page.getByText('nobody@elsewhere.example').waitFor()
  await phone.page.getByRole('link', { name: /Maren Finch/ }).first().waitFor()
})

test('no page reported an error', () => {
  for (const who of [desk, phone, kwame]) assert.deepEqual(who.trouble, [])
})
