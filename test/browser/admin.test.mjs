// What an administrator sees of the corporate directory. The states are given here, by
// the words of docs/protocol.md: that they are true is held beside real directories.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, launch, newPerson, picture, signIn, tab } from './phone.mjs'
import { Server, until } from './server.mjs'

let browser, server, password

before(async () => {
  server = await Server.start()
  password = server.people().password
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

const failing = {
  configured: true, kind: 'ad', server: 'ldaps://dc1.harbour.example', mode: 'dirsync', people: 212, groups: 14,
  last_sync: '2026-11-24T21:10:04.000Z', last_full: '2026-11-24T20:30:00.000Z', failing_since: '2026-11-24T21:10:07.000Z',
  problem: 'directory.unreachable', detail: 'dial tcp 10.0.0.4:636: connect: connection refused',
  problems: [{ dn: 'CN=Printer\\, 3rd floor,OU=Devices,DC=harbour,DC=example', text: 'it has no name' }],
}

async function administrator(kind, state, options) {
  const who = await newPerson(browser, server, kind, options)
  who.syncs = 0
  await who.page.route('**/api/admin/directory**', (route) => {
    if (route.request().method() === 'POST') {
      who.syncs++
      return route.fulfill({ status: 204 })
    }
    return route.fulfill({ contentType: 'application/json', body: JSON.stringify(state) })
  })
  await signIn(who, 'hanna@demo.example', password)
  return who
}

test('an administrator sees that the directory fails, since when and why, and can compare everything', async () => {
  for (const [kind, colorScheme] of [['desk', 'light'], ['phone', 'dark']]) {
    const who = await administrator(kind, failing, { colorScheme })
    await tab(who, 'My Info')
    await who.page.getByRole('link', { name: /^Directory/ }).click()
    await who.page.getByText(/^Failing since/).waitFor()
    await who.page.getByText('No server of the directory answers').waitFor()
    await who.page.getByText('connection refused').waitFor()
    await who.page.getByText('CN=Printer').waitFor()
    await accessible(who, `administrator, directory, ${kind}`)
    await picture(who, `${kind}-${colorScheme}-admin-directory`)
    await who.page.getByRole('button', { name: 'Synchronise now' }).click()
    await until('the server to be asked', () => who.syncs === 1)
    assert.deepEqual(who.trouble, [])
    await who.context.close()
  }
})

test('an administrator of an organisation without a directory is told how to have one', async () => {
  const who = await administrator('desk', { configured: false, people: 0, groups: 0 })
  await who.page.goto(`${server.url}/#/admin/directory`)
  await who.page.getByText('No directory is configured').waitFor()
  await accessible(who, 'administrator, no directory')
  await who.context.close()
})

test('nobody else is shown an administrator\'s page', async () => {
  const who = await newPerson(browser, server, 'desk')
  await signIn(who, 'kwame@demo.example', password)
  const answer = who.page.waitForResponse(/\/api\/admin\/directory$/)
  await tab(who, 'My Info')
  assert.equal((await answer).status(), 404)
  await who.page.getByRole('link', { name: 'Settings' }).waitFor()
  assert.equal(await who.page.getByRole('link', { name: /^Directory/ }).count(), 0)
  let asked = 0
  who.page.on('request', (r) => (asked += r.url().endsWith('/api/admin/directory')))
  await who.page.reload()
  await who.page.getByRole('link', { name: 'Settings' }).waitFor()
  await tab(who, 'Contacts')
  await tab(who, 'My Info')
  await who.page.getByRole('link', { name: 'Settings' }).click()
  await who.page.getByRole('link', { name: /^Phone numbers/ }).click()
  await who.page.getByText('You have typed no numbers').waitFor()
  assert.equal(asked, 0, 'the server is asked again whether they are an administrator')
  await who.context.close()
})
