import { afterEach, describe, expect, it, vi } from 'vitest'
import { deviceName, socketUrl } from './device'

const mozilla = 'Mozilla/5.0'

describe('deviceName', () => {
  it.each([
    ['iPhone, Safari', `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1`, 5],
    ['iPhone, Chrome', `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1`, 5],
    ['iPad, Safari', `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15`, 5],
    ['Mac, Safari', `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15`, 0],
    ['Windows, Edge', `${mozilla} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, 0],
    ['Android, Chrome', `${mozilla} (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36`, 5],
    ['Linux, Firefox', `${mozilla} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`, 0],
    ['Browser', 'curl/8.0', 0],
  ])('%s', (name, agent, touch) => {
    expect(deviceName(agent, touch)).toBe(name)
  })
})

describe('socketUrl', () => {
  afterEach(() => vi.unstubAllGlobals())
  it.each([
    ['https://parley.example/', '', 'wss://parley.example/api/ws'],
    ['http://127.0.0.1:8080/', '', 'ws://127.0.0.1:8080/api/ws'],
    ['capacitor://localhost/', 'https://parley.example', 'wss://parley.example/api/ws'],
  ])('from %s to %s', (page, base, want) => {
    vi.stubGlobal('location', { href: page })
    expect(socketUrl(base)).toBe(want)
  })
})
