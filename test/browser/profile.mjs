// What the app leaves in a browser, taken out of one and put into another: the
// records of its databases as they are, local storage and the session's cookie. A
// browser gives no key away, so a key is written as how it comes from the history
// key, which the server gives to whoever signs in.

/** How the keys of a store come from the history key, as web/src/core/store/seal.ts derives them at the time of writing. */
const derivations = {
  box: { info: 'parley device store 1: records', algorithm: { name: 'AES-GCM', length: 256 }, uses: ['encrypt', 'decrypt'] },
  ids: { info: 'parley device store 1: ids', algorithm: { name: 'HMAC', hash: 'SHA-256', length: 256 }, uses: ['sign'] },
}

/** Takes the profile of a person whose app is open. `historyKey` is what the server gave them at sign-in. */
export async function takeProfile(who, historyKey) {
  const { databases, localStorage } = await who.page.evaluate(read, derivations)
  const cookies = (await who.context.cookies()).map(({ name, value, httpOnly, sameSite }) => ({ name, value, httpOnly, sameSite }))
  return { historyKey, derivations, cookies, localStorage, databases }
}

/** Puts a profile into a fresh browser context, for the server at `url`, before the app has run there. */
export async function putProfile(who, url, profile) {
  await who.page.goto(`${url}/healthz`) // of the same origin, and not the app
  await who.context.addCookies(profile.cookies.map((cookie) => ({ ...cookie, url })))
  await who.page.evaluate(write, profile)
}

/** Counts the records of every store: `{database: {store: n}}`. */
export const recordsOf = (profile) =>
  Object.fromEntries(profile.databases.map((d) => [d.name, Object.fromEntries(d.stores.map((s) => [s.name, s.records.length]))]))

// --- In the page

async function read(derivations) {
  const result = (request) => new Promise((ok, fail) => {
    request.onsuccess = () => ok(request.result)
    request.onerror = () => fail(request.error)
  })
  const base64 = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))
  const plain = (v) => {
    if (v instanceof Uint8Array) return { $bytes: base64(v) }
    if (v instanceof CryptoKey) {
      const known = Object.entries(derivations).find(([, d]) => d.algorithm.name === v.algorithm.name)
      if (!known) throw new Error(`a key for ${v.algorithm.name}: say in profile.mjs how it is derived`)
      return { $key: known[0] }
    }
    if (Array.isArray(v)) return v.map(plain)
    if (v === null || ['string', 'number', 'boolean'].includes(typeof v)) return v
    if (Object.getPrototypeOf(v) === Object.prototype) return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
    throw new Error(`a value of ${Object.prototype.toString.call(v)}: teach profile.mjs to write it`)
  }
  const store = async (s) => {
    const [keys, values] = await Promise.all([result(s.getAllKeys()), result(s.getAll())])
    const records = values.map((value, i) => (s.keyPath === null ? { key: plain(keys[i]), value: plain(value) } : { value: plain(value) }))
    const indexes = [...s.indexNames].map((name) => {
      const { keyPath, unique, multiEntry } = s.index(name)
      return { name, keyPath, unique, multiEntry }
    })
    return { name: s.name, keyPath: s.keyPath, autoIncrement: s.autoIncrement, indexes, records }
  }
  const databases = []
  for (const { name } of await indexedDB.databases()) {
    const db = await result(indexedDB.open(name))
    const tx = db.transaction([...db.objectStoreNames])
    databases.push({ name, version: db.version, stores: await Promise.all([...db.objectStoreNames].map((n) => store(tx.objectStore(n)))) })
    db.close()
  }
  databases.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { databases, localStorage: { ...globalThis.localStorage } }
}

async function write({ historyKey, derivations, databases, localStorage }) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  const root = await crypto.subtle.importKey('raw', bytes(historyKey), 'HKDF', false, ['deriveKey'])
  const keys = {}
  for (const [name, { info, algorithm, uses }] of Object.entries(derivations)) {
    const from = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new TextEncoder().encode(info) }
    keys[name] = await crypto.subtle.deriveKey(from, root, algorithm, false, uses)
  }
  const rich = (v) => {
    if (v === null || typeof v !== 'object') return v
    if (Array.isArray(v)) return v.map(rich)
    if ('$bytes' in v) return bytes(v.$bytes)
    if ('$key' in v) return keys[v.$key]
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, rich(x)]))
  }
  for (const { name, version, stores } of databases) {
    const db = await new Promise((ok, fail) => {
      const request = indexedDB.open(name, version)
      request.onupgradeneeded = () => {
        for (const { name, keyPath, autoIncrement, indexes } of stores) {
          const s = request.result.createObjectStore(name, { keyPath, autoIncrement })
          for (const i of indexes) s.createIndex(i.name, i.keyPath, { unique: i.unique, multiEntry: i.multiEntry })
        }
      }
      request.onsuccess = () => ok(request.result)
      request.onerror = () => fail(request.error)
    })
    await new Promise((ok, fail) => {
      const tx = db.transaction(stores.map((s) => s.name), 'readwrite', { durability: 'strict' })
      tx.oncomplete = ok
      tx.onabort = () => fail(tx.error)
      for (const { name, records } of stores) {
        const s = tx.objectStore(name)
        for (const { key, value } of records) s.put(rich(value), rich(key))
      }
    })
    db.close()
  }
  for (const [key, value] of Object.entries(localStorage)) globalThis.localStorage.setItem(key, value)
}
