// Today's app starts on what the app of every release left in a browser, with
// today's server over what that release's server left behind.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bubbles, launch, newPerson, openChat, say, signIn, tab } from './phone.mjs'
import { putProfile, recordsOf, takeProfile } from './profile.mjs'
import { root, Server, until } from './server.mjs'

const fixtures = join(root, 'test', 'upgrade')
const releases = readdirSync(fixtures).filter((name) => /^\d/.test(name))

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

test('there is a release', () => assert.ok(releases.length > 0))

for (const release of releases) {
  test(`release ${release}`, async (t) => {
    const profile = JSON.parse(readFileSync(join(fixtures, release, 'profile.json'), 'utf8'))
    let facts
    const server = await Server.start({
      fill(data) {
        facts = JSON.parse(execFileSync('go', ['run', './test/upgrade/unpack', fixtures, release, data], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
        return { PARLEY_ORGANISATION_NAME: 'Upgrade Ltd', PARLEY_ORGANISATION_DOMAINS: 'upgrade.example', PARLEY_ORGANISATION_REGION: 'GB' }
      },
    })
    t.after(() => server.remove())
    const told = facts.Browser
    const lena = await newPerson(browser, server)
    t.after(() => lena.context.close())

    await t.test('the history of an earlier release is shown without a connection', async () => {
      await putProfile(lena, server.url, profile)
      await installWorker(lena.page)
      await lena.context.setOffline(true)
      await lena.page.goto(server.url)
      await tab(lena, 'Chats')
      await lena.page.getByRole('link', { name: /Dora.*1 unread/ }).waitFor()
      await lena.page.getByRole('link', { name: /Carla.*Draft/ }).waitFor()
      await lena.page.getByRole('link', { name: /Ben/ }).click()
      assert.deepEqual(await whole(lena), [...told.Shown.map((m) => m.Text), ...told.Queued])
      assert.equal(await lena.page.getByText('Waiting to be sent').count(), told.Queued.length)
    })

    await t.test('what an earlier release had queued is sent, and what it had missed arrives, once', async () => {
      const ben = await newPerson(browser, server)
      await signIn(ben, 'ben@upgrade.example', facts.Password) // a new device: it gets what is said from now on
      await lena.context.setOffline(false)
      await until('the queue to be sent', async () => (await lena.page.getByText('Waiting to be sent').count()) === 0)
      await openChat(ben, 'Lena', 'Lena Ångström-L')
      await until('what lena had queued', async () => (await bubbles(ben).count()) >= told.Queued.length)
      await say(ben, 'all of it is here')
      await until('the answer', async () => (await bubbles(lena).allInnerTexts()).at(-1) === 'all of it is here')
      assert.deepEqual(await bubbles(ben).allInnerTexts(), [...told.Queued, 'all of it is here'])
      assert.deepEqual((await whole(lena)).sort(), [...told.Shown.map((m) => m.Text), ...told.Queued, ...told.Lacks, 'all of it is here'].sort())
      assert.deepEqual(ben.trouble, [])
      await ben.context.close()
    })

    await t.test('the draft is there, and the key comes back after signing out', async () => {
      await tab(lena, 'Chats')
      await lena.page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: /Carla/ }).click()
      assert.equal(await lena.page.getByRole('textbox', { name: 'Message' }).inputValue(), told.Draft)
      await tab(lena, 'My Info')
      await lena.page.getByRole('button', { name: 'Sign Out' }).click()
      await lena.page.getByRole('dialog').getByRole('button', { name: 'Sign Out' }).click()
      await lena.page.getByLabel('Sign-in address').waitFor()
      const session = lena.page.waitForResponse((r) => r.url() === `${server.url}/api/session` && r.request().method() === 'POST')
      await signIn(lena, 'lena@upgrade.example', facts.Password)
      assert.equal((await (await session).json()).history_key, profile.historyKey)
      await tab(lena, 'Chats')
      await lena.page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: /Dora/ }).click()
      assert.deepEqual(await whole(lena), [told.Unread])
    })

    await t.test('the profile of today can be taken for the next fixture', async () => {
      const now = recordsOf(await takeProfile(lena, profile.historyKey))
      for (const [database, stores] of Object.entries(recordsOf(profile))) {
        for (const store of ['messages', 'pages', 'ids', 'chats'].filter((name) => stores[name])) {
          assert.ok(now[database]?.[store] > 0, `${database}.${store}: ${JSON.stringify(now)}`)
        }
      }
    })

    await t.test('no page reported an error', () => assert.deepEqual(lena.trouble, []))
  })
}

/** Installs the worker from a page that is not the app, and waits until it is ready. */
async function installWorker(page) {
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' })
    await navigator.serviceWorker.ready
  })
}

/** The texts of the open conversation, from the first message on. */
async function whole(who) {
  const log = who.page.getByRole('log')
  await until('the beginning of the conversation', async () => {
    await log.evaluate((box) => { box.scrollTop = 0 })
    return (await bubbles(who).count()) > 0 && (await who.page.getByRole('button', { name: 'Show earlier messages' }).count()) === 0
  })
  return bubbles(who).allInnerTexts()
}
