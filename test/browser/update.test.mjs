// A newer build of the app reaches a device that has an older one.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Front } from './front.mjs'
import { build, buildOf, launch, newPerson, signIn } from './phone.mjs'
import { Server, until } from './server.mjs'

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

test('a version that waits takes over at the next start, or when asked', async (t) => {
  const server = await Server.start()
  t.after(() => server.remove())
  const front = await Front.start(server, server)
  t.after(() => front.stop())
  const hanna = await newPerson(browser, front)
  t.after(() => hanna.context.close())
  await signIn(hanna, 'hanna@demo.example', server.people().password)
  await until('the worker to control the page', () => hanna.page.evaluate(() => navigator.serviceWorker.controller !== null))
  const today = await buildOf(server)
  for (const [name, take] of [
    ['0123456789abcdef', () => hanna.page.reload()],
    ['fedcba9876543210', () => hanna.page.getByRole('button', { name: 'Update', exact: true }).click()],
  ]) {
    const former = await build(hanna)
    front.rename(today, name)
    await hanna.page.reload()
    await hanna.page.getByText('A new version of Parley is ready.').waitFor()
    assert.equal(await build(hanna), former)
    await take()
    await until('the new version to take over', async () => (await build(hanna)) === name)
    await hanna.page.getByRole('link', { name: /^Contacts/ }).waitFor()
  }
  assert.deepEqual(hanna.trouble, [])
})
