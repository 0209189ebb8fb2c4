// A real server of address books for one test file: Radicale, as a plain process
// on loopback, where it is installed.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithUs, freePort, until } from './server.mjs'

export const installed = spawnSync('radicale', ['--version']).status === 0

/** Starts a server with one user and one address book of these cards. */
export async function startRadicale(user, password, cards) {
  const data = mkdtempSync(join(tmpdir(), 'parley-radicale-'))
  const url = `http://127.0.0.1:${await freePort()}/`
  writeFileSync(join(data, 'users'), `${user}:${password}\n`)
  writeFileSync(join(data, 'config'), [
    '[server]', `hosts = ${new URL(url).host}`, '[auth]', 'type = htpasswd', `htpasswd_filename = ${join(data, 'users')}`, 'htpasswd_encryption = plain', 'delay = 0',
    '[storage]', `filesystem_folder = ${join(data, 'collections')}`, '[logging]', 'level = error', '',
  ].join('\n'))
  const child = endWithUs(spawn('radicale', ['-C', join(data, 'config')], { stdio: 'ignore' }))
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const put = async (text) => {
    const answer = await fetch(`${url}${user}/home/`, { method: 'PUT', headers: { authorization, 'content-type': 'text/vcard' }, body: text })
    if (!answer.ok) throw new Error(`Radicale: ${answer.status}`)
  }
  await until('Radicale to take the cards', async () => (await put(cards), true))
  return {
    url,
    put,
    stop() {
      child.kill('SIGKILL')
      rmSync(data, { recursive: true, force: true })
    },
  }
}
