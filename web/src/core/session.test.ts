import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rest, until } from './testing/clock'
import { freshProfile } from './testing/device'
import { FakeSite, leavePages, loadCore, stubPage, type Core } from './testing/page'

let site: FakeSite
beforeEach(() => {
  freshProfile()
  site = new FakeSite()
  stubPage(site)
})
afterEach(async () => {
  leavePages()
  await rest(5)
  vi.unstubAllGlobals()
})

const ada = { address: 'ada@parley.test', password: 'right' }
const bob = { address: 'bob@parley.test', password: 'right' }

const databases = async (): Promise<string[]> => (await indexedDB.databases()).map((d) => d.name ?? '').sort()

const online = (core: Core): Promise<void> => until(() => core.connection.value === 'online', 'online')

async function textsWith(core: Core, person: string): Promise<string[]> {
  const chat = core.openChat(core.conversationWith(person))
  await chat.loaded
  const texts = chat.messages.value.map((m) => m.text ?? '')
  chat.close()
  return texts
}

describe('starting', () => {
  it('asks for a sign-in when nobody is here', async () => {
    const core = await loadCore()
    expect(core.phase.value).toBe('signed-out')
    await until(() => core.about.value?.name === 'Test')
  })

  it('says when the origin is not secure', async () => {
    vi.stubGlobal('isSecureContext', false)
    const core = await loadCore()
    expect(core.phase.value).toBe('insecure')
    expect(await databases()).toEqual([])
  })

  it('shows the history without the network', async () => {
    site.server.append({ text: 'kept' })
    const first = await loadCore()
    await first.signIn(ada)
    await until(async () => (await textsWith(first, 'p2')).length === 1)
    site.down = true
    site.server.connection.end(1006)
    const core = await loadCore()
    expect(core.phase.value).toBe('ready')
    expect(core.session.value?.address).toBe(ada.address)
    expect(await textsWith(core, 'p2')).toEqual(['kept'])
    await until(() => core.chats.value[0]?.text === 'kept')
  })

  it('takes the session of the cookie when the device has lost its own', async () => {
    const first = await loadCore()
    await first.signIn(ada)
    await online(first)
    freshProfile()
    const core = await loadCore()
    expect(core.phase.value).toBe('ready')
  })

  it('ends when the server no longer knows the session', async () => {
    const first = await loadCore()
    await first.signIn(ada)
    site.sessions.clear()
    const core = await loadCore()
    await until(() => core.phase.value === 'signed-out')
    expect(core.ended.value).toBe('expired')
    expect(await databases()).toContain('parley-p1')
  })
})

describe('signing in', () => {
  it('passes the refusal on', async () => {
    const core = await loadCore()
    await expect(core.signIn({ ...ada, password: 'wrong' })).rejects.toMatchObject({ kind: 'sign-in', key: 'sign-in.wrong' })
    expect(core.phase.value).toBe('signed-out')
  })

  it('sends an installation id that stays the same, and says what device it is', async () => {
    const bodies: Record<string, string>[] = []
    const plain = site.fetch
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      if (init.method === 'POST') bodies.push(JSON.parse(String(init.body)) as Record<string, string>)
      return plain(url, init)
    })
    const core = await loadCore()
    await core.signIn(ada)
    await core.signOut()
    await core.signIn(bob)
    expect(bodies[0]).toMatchObject({ device_class: 'desktop', device_name: 'Linux, Firefox' })
    expect(bodies[0]?.['installation']).toMatch(/^[\w-]{22}$/)
    expect(bodies[1]?.['installation']).toBe(bodies[0]?.['installation'])
  })

  it('tells that earlier messages are elsewhere', async () => {
    site.starts = 'head'
    const core = await loadCore()
    await core.signIn(ada)
    const chat = core.openChat('p1.p2')
    await until(() => chat.notices.value.length === 1)
    expect(chat.notices.value[0]).toMatchObject({ kind: 'head' })
    chat.close()
  })
})

describe('signing out', () => {
  it('removes the key and keeps the history for the same person', async () => {
    site.server.append({ text: 'mine' })
    const core = await loadCore()
    await core.signIn(ada)
    await until(async () => (await textsWith(core, 'p2')).length === 1)
    await core.signOut()
    expect(core.phase.value).toBe('signed-out')
    expect(core.chats.value).toEqual([])
    expect(await databases()).toEqual(['parley', 'parley-p1'])
    await until(() => site.sessions.size === 0)
    site.server.purged = 1
    const again = await loadCore()
    expect(again.phase.value).toBe('signed-out')
    await again.signIn(ada)
    expect(await textsWith(again, 'p2')).toEqual(['mine'])
  })

  it('works without the server, which is told later', async () => {
    const core = await loadCore()
    await core.signIn(ada)
    site.down = true
    await core.signOut()
    expect(core.phase.value).toBe('signed-out')
    expect(site.sessions.size).toBe(1)
    site.down = false
    const again = await loadCore()
    expect(again.phase.value).toBe('signed-out')
    await until(() => site.sessions.size === 0)
  })

  it('is told before the next person signs in', async () => {
    const core = await loadCore()
    await core.signIn(ada)
    site.down = true
    await core.signOut()
    site.down = false
    await core.signIn(bob)
    expect([...site.sessions.values()].map((s) => s.person.id)).toEqual(['p2'])
    await rest()
    expect(core.phase.value).toBe('ready')
    expect(site.sessions.size).toBe(1)
  })
})

describe('another person on the device', () => {
  it('finds nothing of the earlier one', async () => {
    site.server.append({ text: 'for ada only' })
    const core = await loadCore()
    await core.signIn(ada)
    await until(async () => (await textsWith(core, 'p2')).length === 1)
    await core.signOut()
    site.server.log.length = 0
    await core.signIn(bob)
    expect(core.session.value?.person.id).toBe('p2')
    expect(await databases()).toEqual(['parley', 'parley-p2'])
    expect(core.chats.value).toEqual([])
    await core.signOut()
    await core.signIn(ada)
    expect(await textsWith(core, 'p2')).toEqual([])
  })

  it('takes over the other tab too', async () => {
    const a = await loadCore()
    await a.signIn(ada)
    await online(a)
    const b = await loadCore()
    await online(b)
    await b.signOut()
    await until(() => a.phase.value === 'signed-out')
    await b.signIn(bob)
    await until(() => a.session.value?.person.id === 'p2')
    expect(await databases()).toEqual(['parley', 'parley-p2'])
  })

  it('is recognised by the socket when the cookie changed behind the app’s back', async () => {
    const core = await loadCore()
    await core.signIn(ada)
    await online(core)
    await site.fetch('/api/session', { method: 'POST', body: JSON.stringify(bob) })
    site.server.connection.end(1001)
    await until(() => core.session.value?.person.id === 'p2')
    expect(await databases()).toEqual(['parley', 'parley-p2'])
  })
})

describe('a history key that does not fit', () => {
  it('clears what nobody can read any more, and says so', async () => {
    site.server.append({ text: 'sealed with the old key' })
    const core = await loadCore()
    await core.signIn(ada)
    await until(async () => (await textsWith(core, 'p2')).length === 1)
    await core.signOut()
    site.keyOf['p1'] = 3
    site.server.purged = 1
    await core.signIn(ada)
    expect(core.phase.value).toBe('ready')
    expect(core.storage.value.trouble).toBe('unreadable')
    expect(await textsWith(core, 'p2')).toEqual([])
  })
})

describe('a conversation on screen', () => {
  it('shows a message at once and follows it to delivered', async () => {
    const core = await loadCore()
    await core.signIn(ada)
    await online(core)
    const chat = core.openChat('p1.p2')
    await chat.loaded
    const seen: string[] = []
    const stop = chat.messages.subscribe((list) => seen.push(list.map((m) => `${m.text} ${m.state}`).join()))
    await chat.send('hello')
    await until(() => chat.messages.value[0]?.state === 'sent')
    const key = chat.messages.value[0]?.key
    site.server.connection.say({ type: 'delivered', conversation: 'p1.p2', person: 'p2', id: 'epoch1-1' })
    await until(() => chat.messages.value[0]?.state === 'delivered')
    expect(chat.messages.value).toHaveLength(1)
    expect(chat.messages.value[0]?.key).toBe(key)
    const first = seen.findIndex((s) => s !== '')
    expect(seen.slice(first)).not.toContain('')
    stop()
    chat.close()
  })

  it('keeps what is typed and clears it when it is sent', async () => {
    site.down = false
    const core = await loadCore()
    await core.signIn(ada)
    const chat = core.openChat('p1.p2')
    await chat.loaded
    chat.setDraft('half a thought')
    chat.close()
    await rest(5)
    const again = core.openChat('p1.p2')
    await again.loaded
    expect(again.draft.value).toBe('half a thought')
    expect(core.chats.value.map((c) => c.draft)).toEqual([true])
    await again.send('a whole thought')
    expect(again.draft.value).toBe('')
    await until(() => core.chats.value[0]?.text === 'a whole thought')
    expect(core.chats.value.map((c) => c.draft)).toEqual([false])
    again.close()
  })

  it('leaves alone what is typed while a message is being stored', async () => {
    const core = await loadCore()
    await core.signIn(ada)
    const chat = core.openChat('p1.p2')
    await chat.loaded
    chat.setDraft('first')
    const sent = chat.send('first')
    expect(chat.draft.value).toBe('')
    chat.setDraft('second, already')
    await sent
    await rest(5)
    expect(chat.draft.value).toBe('second, already')
    chat.close()
    await rest(5)
    const again = core.openChat('p1.p2')
    await again.loaded
    expect(again.draft.value).toBe('second, already')
    expect(core.chats.value.map((c) => c.draft)).toEqual([true])
    again.close()
  })

  it.each([
    ['nothing', '', 'invalid'],
    ['blanks', ' \n ', 'invalid'],
    ['more than 16,000 bytes', 'ü'.repeat(8_001), 'too-large'],
  ])('does not take %s', async (_, text, kind) => {
    const core = await loadCore()
    await core.signIn(ada)
    const chat = core.openChat('p1.p2')
    await chat.loaded
    await expect(chat.send(text)).rejects.toMatchObject({ kind })
    expect(chat.messages.value).toEqual([])
    chat.close()
  })

  it('loads older pages in front, and reads what it shows', async () => {
    for (let i = 1; i <= 300; i++) site.server.append({ text: `t${i}` })
    const core = await loadCore()
    await core.signIn(ada)
    await until(() => core.unread.value === 300)
    const chat = core.openChat('p1.p2')
    await chat.loaded
    expect(chat.messages.value).toHaveLength(64)
    expect(chat.older.value).toBe(true)
    chat.markRead()
    await until(() => core.unread.value === 0)
    while (chat.older.value) await chat.loadOlder()
    expect(chat.messages.value.map((m) => m.text)).toEqual(Array.from({ length: 300 }, (_, i) => `t${i + 1}`))
    site.server.write('the newest')
    await until(() => chat.messages.value.at(-1)?.text === 'the newest')
    expect(chat.messages.value).toHaveLength(301)
    await core.deleteChats(['p1.p2'])
    await until(() => chat.messages.value.length === 0)
    expect(core.chats.value).toEqual([])
    chat.close()
  })
})
