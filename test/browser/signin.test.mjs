// What the sign-in screen says to somebody whose organisation keeps the passwords. The
// refusals are given here, by the words of docs/protocol.md: which of them a directory
// gives when is held beside the real ones.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, launch, newPerson, signIn } from './phone.mjs'
import { Server } from './server.mjs'

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

const place = 'https://password.example/change'

/** A page whose server refuses each sign-in with the key that `who.says` holds. */
async function refused(...says) {
  const who = await newPerson(browser, server)
  who.says = says
  const json = (body, type = 'application/json') => ({ status: body.status ?? 200, contentType: type, body: JSON.stringify(body) })
  await who.page.route('**/api/about', async (route) => {
    const about = await (await route.fetch()).json()
    await route.fulfill(json({ ...about, password_url: place }))
  })
  await who.page.route('**/api/session', (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    who.sent = route.request().postDataJSON()
    const [key, kind = 'sign-in', status = 401] = who.says
    return route.fulfill(json({ type: `tag:parley,2026:${kind}`, title: kind, status, key, retry: 'never' }, 'application/problem+json'))
  })
  await who.page.goto(server.url)
  return who
}

async function attempt(who, name) {
  await who.page.getByLabel('Sign-in address').fill(name)
  await who.page.getByLabel('Password', { exact: true }).fill('some password')
  await who.page.getByRole('button', { name: 'Sign In', exact: true }).click()
}

const cases = [
  ['sign-in.wrong', /address or the password is wrong, or the account is locked for a while/],
  ['sign-in.disabled', /account is disabled/],
  ['sign-in.account-expired', /account has expired/],
  ['sign-in.password-expired', /password has expired/, true],
  ['sign-in.password-must-change', /must change your password/, true],
  ['sign-in.hours', /at this time of day/],
  ['sign-in.workstation', /from here/],
  ['sign-in.directory-unreachable', /directory does not answer/, false, 'unavailable', 503],
]

test('a refused sign-in says why, and where the password is changed', async () => {
  const who = await refused()
  for (const [key, words, link = false, kind, status] of cases) {
    who.says = [key, kind, status]
    await attempt(who, 'HARBOUR\\maren')
    const told = who.page.getByRole('alert').filter({ hasText: words })
    await told.waitFor()
    assert.equal(who.sent.address, 'HARBOUR\\maren')
    assert.equal(await told.getByRole('link').count(), link ? 1 : 0, key)
    if (link) assert.equal(await told.getByRole('link', { name: 'Change password there' }).getAttribute('href'), place)
  }
  who.says = ['sign-in.password-expired']
  await attempt(who, 'maren@demo.example')
  await who.page.getByRole('link', { name: 'Change password there' }).waitFor()
  await accessible(who, 'a refused sign-in')
  await who.context.close()
})

test('a user name of a domain that nobody serves goes to this server only when the person says so', async () => {
  const who = await refused('sign-in.wrong')
  await who.page.route('**/api/discover', (route) => route.fulfill({ contentType: 'application/json', body: '{"where":"unknown"}' }))
  await attempt(who, 'maren@harbour.internal')
  await who.page.getByRole('alert').getByText('No server was found').waitFor()
  assert.equal(who.sent, undefined, 'the password went to a server that does not serve the address')
  await who.page.getByRole('button', { name: /sign in here/ }).click()
  await who.page.getByRole('alert').getByText(/password is wrong/).waitFor()
  assert.equal(who.sent.address, 'maren@harbour.internal')
  await who.context.close()
})

test('whoever forgot the password of the directory is led to where it is changed', async () => {
  const who = await refused('sign-in.wrong')
  await who.page.getByRole('link', { name: 'Forgot password?' }).click()
  await who.page.getByRole('heading', { level: 1, name: 'Forgot password' }).waitFor()
  assert.equal(await who.page.getByRole('link', { name: 'Change password there' }).getAttribute('href'), place)
  await accessible(who, 'forgotten password')
  await who.context.close()
})

test('the own password is not changed here when the directory keeps it', async () => {
  const who = await newPerson(browser, server, 'desk')
  await who.page.route('**/api/me/settings', (route) => route.fulfill({ contentType: 'application/json', body: JSON.stringify({ pictures: { share: true, show: true, allowed: true }, phones: [], password: 'directory' }) }))
  await signIn(who, 'hanna@demo.example', password)
  await who.page.goto(`${server.url}/#/info/options/password`)
  await who.page.getByText('It is changed in the organisation\'s directory').waitFor()
  assert.equal(await who.page.getByLabel('Current password').count(), 0)
  await who.context.close()
})
