import { describe, expect, it } from 'vitest'
import { copied, dialable, internationalOf, readable, telHref } from './tel'

describe('dialable', () => {
  it.each([
    ['+49 (30) 1234-56', '+4930123456'],
    ['030 / 123 456', '030123456'],
    ['00 49+30', '004930'],
    ['*100#', '*100#'],
    ['１２３', '123'],
    ['call me', ''],
    ['', ''],
  ])('%s', (number, want) => {
    expect(dialable(number)).toBe(want)
  })

  it('escapes the hash in an address', () => {
    expect(telHref('*100#')).toBe('tel:*100%23')
  })
})

describe('international form', () => {
  it.each([
    [{ number: '044 668 00 04', dial: '+41446680004', shown: '044 668 00 04' }, '044 668 00 04', '+41446680004', '+41446680004'],
    [{ number: '+46 8 555 0002' }, '+46 8 555 0002', '+4685550002', '+4685550002'],
    [{ number: '+44 (0)20 7946 0958' }, '+44 (0)20 7946 0958', '+442079460958', '+442079460958'],
    [{ number: '0151 555 0001', dial: '' }, '0151 555 0001', undefined, '0151 555 0001'],
    [{ number: '2042' }, '2042', undefined, '2042'],
    [{ number: '+0 12' }, '+0 12', undefined, '+0 12'],
  ])('%j', (phone, shown, dial, copy) => expect([readable(phone), internationalOf(phone), copied(phone)]).toEqual([shown, dial, copy]))
})
