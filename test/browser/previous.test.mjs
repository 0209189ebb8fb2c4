// The release before and today's talk to each other: the app of one with the server
// of the other, and a device and a database that go from one to the other.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Front } from './front.mjs'
import { build, buildOf, launch, newPerson, openCard, openChat, say, shows, signIn, tab } from './phone.mjs'
import { binary, Server, until } from './server.mjs'

const previous = process.env.PARLEY_PREVIOUS // the program; test/previous.sh builds it
const skip = previous ? false : 'the release before is not built'
const password = (server) => server.people().password

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

/** Somebody who is added while their app is of the release before, by a person at a desk. */
async function add(api, who, whom) {
  const ask = async (method, path, body, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
    const answer = await fetch(api.url + path, { method, headers, body: JSON.stringify(body) })
    assert.equal(answer.status, 200, `${method} ${path}`)
    return answer.json()
  }
  const { token } = await ask('POST', '/api/session', {
    address: who, password: password(api), installation: 'A'.repeat(22), device_name: 'computer', device_class: 'desktop', time_zone: 'Europe/Berlin', token: true,
  })
  await ask('PUT', `/api/contacts/${encodeURIComponent(whom)}`, {}, token)
}

/**
 * Two people sign in, see each other's state, talk both ways, and have it all after
 * a reload; `meanwhile` happens in between.
 */
async function talk(t, app, api, meanwhile = () => undefined) {
  const front = await Front.start(app, api)
  t.after(() => front.stop())
  const hanna = await newPerson(browser, front)
  const kwame = await newPerson(browser, front)
  t.after(() => Promise.all([hanna.context.close(), kwame.context.close()]))
  await signIn(hanna, 'hanna@demo.example', password(api))
  await signIn(kwame, 'kwame@demo.example', password(api))
  assert.equal(await build(hanna), await buildOf(app))

  await openCard(hanna, 'Mens', 'Kwame Mensah')
  const card = hanna.page.getByRole('main')
  await card.getByText(/^Available/).first().waitFor()
  await tab(kwame, 'My Info')
  await kwame.page.getByRole('button', { name: /Available/ }).click()
  await kwame.page.getByRole('button', { name: 'Do Not Disturb' }).click()
  await card.getByText(/^Do Not Disturb/).first().waitFor()

  await openChat(hanna, 'Mens', 'Kwame Mensah')
  await say(hanna, 'from one release')
  await openChat(kwame, 'petersen', 'Hanna Petersen')
  await shows(kwame, ['from one release'])
  await say(kwame, 'to the other')
  await shows(hanna, ['from one release', 'to the other'])
  await kwame.page.getByText('Delivered').last().waitFor()
  await meanwhile()

  await api.stop()
  await say(hanna, 'while the server was away')
  await api.run()
  const all = ['from one release', 'to the other', 'while the server was away']
  for (const who of [hanna, kwame]) {
    await shows(who, all)
    await who.page.reload()
    await shows(who, all)
    assert.equal(await build(who), await buildOf(app))
    await tab(who, 'Chats')
    assert.equal(await who.page.getByRole('main').getByRole('listitem').count(), 1)
    assert.deepEqual(who.trouble, [])
  }
}

test('the app of the release before and the server of today', { skip }, async (t) => {
  const [app, api] = [await Server.start({ program: previous }), await Server.start()]
  t.after(() => Promise.all([app.remove(), api.remove()]))
  // The news of being added is an entry of a kind that the app does not know.
  await talk(t, app, api, () => add(api, 'amara@demo.example', 'hanna@demo.example'))
})

test('the app of today and the server of the release before', { skip }, async (t) => {
  const [app, api] = [await Server.start(), await Server.start({ program: previous })]
  t.after(() => Promise.all([app.remove(), api.remove()]))
  await talk(t, app, api)
})

test('a server and its devices are upgraded, and keep history and queue', { skip }, async (t) => {
  const server = await Server.start({ program: previous })
  t.after(() => server.remove())
  const hanna = await newPerson(browser, server)
  const kwame = await newPerson(browser, server)
  t.after(() => Promise.all([hanna.context.close(), kwame.context.close()]))
  await signIn(hanna, 'hanna@demo.example', password(server))
  await signIn(kwame, 'kwame@demo.example', password(server))
  await openChat(hanna, 'Mens', 'Kwame Mensah')
  await say(hanna, 'before the upgrade')
  await openChat(kwame, 'petersen', 'Hanna Petersen')
  await shows(kwame, ['before the upgrade'])
  await say(kwame, 'an answer before it')
  await shows(hanna, ['before the upgrade', 'an answer before it'])
  await until('the worker to control the page', () => hanna.page.evaluate(() => navigator.serviceWorker.controller !== null))
  const former = await build(hanna)
  await server.stop()
  await say(hanna, 'while it was upgraded')
  await hanna.page.getByText(/Not connected/).first().waitFor()
  await hanna.page.goto('about:blank') // with the message in the queue, and nobody there to send it

  server.program = binary
  await server.run()
  const all = ['before the upgrade', 'an answer before it', 'while it was upgraded']
  await kwame.page.reload() // the app of the release before, with the server of today
  await hanna.page.goto(`${server.url}/#/chats`)
  await hanna.page.getByRole('link', { name: /Kwame Mensah/ }).click()
  await shows(hanna, all)
  await shows(kwame, all)

  // Each browser has fetched the app of today meanwhile, which waits to be asked.
  const current = await buildOf(server)
  assert.notEqual(former, current)
  for (const who of [hanna, kwame]) {
    await who.page.getByText('A new version of Parley is ready.').waitFor()
    assert.equal(await build(who), former)
    await who.page.getByRole('button', { name: 'Update', exact: true }).click()
    await until('the app of today to take over', async () => (await build(who)) === current)
    await shows(who, all)
  }
  await say(hanna, 'from the new app')
  await shows(kwame, [...all, 'from the new app'])
  await hanna.context.setOffline(true)
  await hanna.page.reload()
  await shows(hanna, [...all, 'from the new app'])
  assert.equal(await build(hanna), current)
  assert.deepEqual([...hanna.trouble, ...kwame.trouble], [])
})
