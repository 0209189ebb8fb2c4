// Every screen at phone size and wide, light and dark: complete, usable, and
// without a violation of WCAG 2.2 A and AA.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, launch, newPerson, openCard, openChat, picture, say, signIn, tab } from './phone.mjs'
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

const heading = (who, name) => who.page.getByRole('heading', { level: 1, name }).first().waitFor()

/** Walks over every screen and looks at each. */
async function walk(who, label) {
  const look = async (screen) => {
    await accessible(who, `${screen}, ${label}`)
    await picture(who, `${label}-${screen}`)
    const wider = await who.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.ok(wider <= 0, `${screen}, ${label}: the page is ${wider} px wider than the window`)
  }
  await tab(who, 'Contacts')
  await who.page.getByRole('link', { name: /Jürgen Großmann/ }).first().waitFor()
  await look('contacts')
  await who.page.getByRole('searchbox', { name: 'Search' }).fill('nobody is called thus')
  await who.page.getByText(/No one found/i).waitFor()
  await look('contacts-none')
  await openCard(who, 'lindq', 'Zoë Lindqvist')
  await look('card')
  await tab(who, 'Chats')
  await look('chats')
  await openChat(who, 'lindq', 'Zoë Lindqvist')
  await say(who, 'A message with a link, https://parley.example/a?b=c, and an averylongwordthatneverendsandmustnotmakethepagewiderthanthewindowwhateverhappens')
  await look('conversation')
  await who.page.getByRole('button', { name: 'Actions' }).click()
  await who.page.getByRole('dialog').waitFor()
  await look('actions')
  await who.page.keyboard.press('Escape')
  await who.page.getByRole('dialog').waitFor({ state: 'detached' }).catch(() => who.page.getByRole('dialog').waitFor({ state: 'hidden' }))
  await tab(who, 'Phone')
  await who.page.getByRole('button', { name: /^1/ }).first().waitFor()
  await look('phone')
  await tab(who, 'My Info')
  await heading(who, 'My Info')
  await look('my-info')
  await who.page.getByRole('link', { name: 'Options' }).click()
  await heading(who, 'Options')
  await look('options')
  await tab(who, 'My Info')
  await who.page.getByRole('link', { name: 'Privacy' }).click()
  await heading(who, 'Privacy')
  await look('privacy')
}

for (const kind of ['phone', 'desk']) {
  for (const colorScheme of ['light', 'dark']) {
    test(`every screen, ${kind}, ${colorScheme}`, async () => {
      const who = await newPerson(browser, server, kind, { colorScheme })
      await who.page.goto(server.url)
      await who.page.getByRole('button', { name: 'Sign In', exact: true }).waitFor()
      await accessible(who, `sign-in, ${kind}, ${colorScheme}`)
      await picture(who, `${kind}-${colorScheme}-sign-in`)
      await signIn(who, 'hanna@demo.example', password)
      await walk(who, `${kind}-${colorScheme}`)
      assert.deepEqual(who.trouble, [])
      await who.context.close()
    })
  }
}

test('from 900 px on list and detail stand side by side', async () => {
  const who = await newPerson(browser, server, 'desk')
  await signIn(who, 'hanna@demo.example', password)
  await openCard(who, 'Mens', 'Kwame Mensah')
  assert.ok(await who.page.getByRole('searchbox', { name: 'Search' }).isVisible(), 'the list is gone while a card is open')
  await who.context.close()
})

test('200 % text loses nothing', async () => {
  const who = await newPerson(browser, server, 'phone')
  await signIn(who, 'hanna@demo.example', password)
  await who.page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
  for (const name of ['Contacts', 'Chats', 'Phone', 'My Info']) {
    await tab(who, name)
    const wider = await who.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.ok(wider <= 0, `${name}: the page is ${wider} px wider than the window at 200 %`)
    await picture(who, `phone-large-${name.replace(' ', '-')}`)
  }
  await who.context.close()
})

test('everything can be done with the keyboard', async () => {
  const who = await newPerson(browser, server, 'desk')
  await who.page.goto(server.url)
  await who.page.getByLabel('Sign-in address').focus()
  await who.page.keyboard.type('hanna@demo.example')
  await who.page.keyboard.press('Tab')
  await who.page.keyboard.type(password)
  await who.page.keyboard.press('Enter')
  const search = who.page.getByRole('searchbox', { name: 'Search' })
  await search.waitFor()
  await search.focus()
  await who.page.keyboard.type('mens')
  const row = who.page.getByRole('link', { name: /Kwame Mensah/ }).first()
  await row.waitFor()
  for (let i = 0; i < 10 && !(await row.evaluate((e) => e === document.activeElement)); i++) await who.page.keyboard.press('Tab')
  await who.page.keyboard.press('Enter')
  await heading(who, 'Kwame Mensah')
  await who.context.close()
})

test('CC7 /people/ADDRESS opens the card', async () => {
  const who = await newPerson(browser, server)
  await signIn(who, 'hanna@demo.example', password)
  await who.page.goto(`${server.url}/people/zoe@demo.example`)
  await heading(who, 'Zoë Lindqvist')
  await who.context.close()
})

test('LS2 nothing about the place is asked for', async () => {
  const who = await newPerson(browser, server)
  await who.page.addInitScript(() => {
    globalThis.asked = 0
    const count = () => void globalThis.asked++
    Object.defineProperty(navigator, 'geolocation', { get: () => (count(), undefined) })
  })
  await signIn(who, 'hanna@demo.example', password)
  await walk(who, 'phone-light')
  assert.equal(await who.page.evaluate(() => globalThis.asked), 0)
  const headers = (await fetch(server.url)).headers
  assert.match(headers.get('permissions-policy'), /geolocation=\(\)/)
  assert.match(headers.get('content-security-policy'), /require-trusted-types-for 'script'/)
  assert.doesNotMatch(headers.get('content-security-policy'), /unsafe-inline/)
  await who.context.close()
})

test('the app can be installed', async () => {
  const who = await newPerson(browser, server)
  await who.page.goto(server.url)
  await who.page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
  const devtools = await who.context.newCDPSession(who.page)
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
  assert.deepEqual(installabilityErrors.map((e) => e.errorId).filter((id) => id !== 'in-incognito'), [])
  const manifest = await (await fetch(`${server.url}/manifest.webmanifest`)).json()
  assert.equal(manifest.display, 'standalone')
  assert.ok(await who.page.locator('link[rel=apple-touch-icon]').count())
  await who.context.close()
})
