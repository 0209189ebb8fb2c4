// Lena in front of her browser, for making a fixture: does what it is told line by
// line on standard input, says "done" each time, and at the end writes what her
// browser holds to a file.
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { bubbles, launch, newPerson, openChat, say, signIn, tab } from './phone.mjs'
import { takeProfile } from './profile.mjs'
import { until } from './server.mjs'

const [url, address, password, file] = process.argv.slice(2)
const browser = await launch()
const lena = await newPerson(browser, { url })
let historyKey

const steps = {
  async 'sign in'() {
    const session = lena.page.waitForResponse((r) => r.url() === `${url}/api/session` && r.request().method() === 'POST')
    await signIn(lena, address, password)
    historyKey = (await (await session).json()).history_key
  },
  async leave({ ben, dora, carla, last, answers, queue, draft }) {
    await tab(lena, 'Chats')
    await lena.page.getByRole('link', { name: new RegExp(`${dora}.*1 unread`) }).waitFor()
    await lena.page.getByRole('link', { name: new RegExp(ben) }).click()
    await until('what ben said', async () => (await bubbles(lena).allInnerTexts()).at(-1) === last)
    for (const text of answers) await say(lena, text)
    await lena.page.getByText('Delivered', { exact: true }).last().waitFor()
    await openChat(lena, carla.split(' ')[0], carla)
    await lena.page.getByRole('textbox', { name: 'Message' }).fill(draft)
    await tab(lena, 'Chats')
    await lena.page.getByText('Draft').waitFor()
    await until('the worker to control the page', () => lena.page.evaluate(() => navigator.serviceWorker.controller !== null))
    await lena.context.setOffline(true)
    await lena.page.reload() // an open socket would stay
    await lena.page.getByText(/Not connected/).first().waitFor()
    await lena.page.getByRole('link', { name: new RegExp(ben) }).click()
    for (const text of queue) await say(lena, text)
    await until('the messages to be queued', async () => (await lena.page.getByText('Waiting to be sent').count()) >= queue.length)
    writeFileSync(file, `${lines(await takeProfile(lena, historyKey))}\n`)
    if (lena.trouble.length > 0) throw new Error(lena.trouble.join('\n'))
  },
}

/** JSON with a record a line. */
function lines(profile) {
  const records = []
  const text = JSON.stringify(profile, (key, value) => {
    if (key !== 'records') return value
    records.push(value)
    return `@${records.length - 1}@`
  }, 1)
  return text.replace(/"@(\d+)@"/g, (_, i) => `[${records[i].map((r) => `\n${JSON.stringify(r)}`).join(',')}]`)
}

try {
  for await (const line of createInterface({ input: process.stdin })) {
    const step = JSON.parse(line)
    await steps[step.do](step)
    console.log('done')
  }
} finally {
  await browser.close()
}
